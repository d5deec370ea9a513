// A doctor joins: files once, is asked to correct it, passes two desks; the office's list, one press.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, signIn } from '../lib/browser.mjs';
import { PASSWORD, mamisctl, newDoctor, today } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const said = (page, text) => page.locator('.notice.good', { hasText: text }).waitFor();

async function office(role, ...words) {
  const login_id = `${role.replace('_', '-')}-${randomInt(1e9)}`;
  await mamisctl('account', 'create', '--role', role, '--login', login_id, '--password', PASSWORD, '--name', '試験用', ...words);
  const page = await newPage(browser);
  await signIn(page, { login_id, password: PASSWORD });
  return page;
}

async function file(page) {
  await page.goto('/me/procedures');
  await audit(page, 'memberships of nobody');
  await page.getByRole('link', { name: '手続きを始める' }).click();
  await page.getByRole('heading', { name: '手続きを始める' }).waitFor();
  await press(page, '提出する');
  await page.locator('#l1_code-error').waitFor();
  await audit(page, 'filing with errors');
  await page.getByLabel('郡市区等と都道府県の医師会').check();
  await page.locator('#l1_words').fill('13001');
  await page.locator('#l1_code').selectOption('13001');
  await page.locator('#category_l1').fill('A');
  await page.locator('#effective_on').fill(await today());
  await press(page, '提出する');
  await said(page, '手続きを受け付けました。');
  await audit(page, 'own procedure');
  return new URL(page.url()).pathname.split('/').pop();
}

test('an admission is returned, sent again, and passes both desks', async () => {
  const doctor = await newDoctor({ l1_code: '', l2_code: '13', l3_category: '' });
  const own = await newPage(browser);
  await signIn(own, doctor);
  const id = await file(own);

  const l1 = await office('office_l1', '--l1', '13001');
  await l1.goto('/procedures');
  await l1.getByRole('link', { name: doctor.name }).first().waitFor();
  await audit(l1, 'desk');
  await l1.goto(`/procedures/${id}`);
  await settled(l1);
  await audit(l1, 'a procedure at the desk');
  await press(l1, '差し戻す');
  await l1.locator('#reason-error').waitFor();
  await l1.locator('#reason').fill('会員区分を確かめてください。');
  await press(l1, '差し戻す');
  await said(l1, '差し戻し');

  await own.reload();
  await own.getByText('差し戻されています').waitFor();
  await audit(own, 'returned procedure');
  await own.locator('#category_l1').fill('B');
  await press(own, '再提出する');
  await said(own, '再提出しました。');

  await l1.reload();
  await press(l1, '理事会を待つ');
  await said(l1, '理事会の承認待ち');
  await press(l1, '待っていたことが済んだ');
  await said(l1, '郡市区等医師会の審査');
  await press(l1, '承認する');
  await said(l1, '都道府県医師会の審査');

  const l2 = await office('office_l2', '--l2', '13');
  await l2.goto(`/procedures/${id}`);
  await l2.getByRole('row', { name: /郡市区等医師会の会員区分/ }).waitFor();
  await press(l2, '承認する');
  await said(l2, '発効');
  await close(l2);

  await own.goto('/me/procedures');
  await own.getByRole('row', { name: /13001/ }).first().waitFor();
  await audit(own, 'memberships');
  await close(own);
  await l1.goto(`/members?q=${doctor.register_no}`);
  await l1.getByRole('row', { name: new RegExp(doctor.register_no) }).waitFor();
  await audit(l1, 'members on a day');
  await close(l1);
});

test('plain ones are approved together, a paper is entered for a doctor', async () => {
  const doctor = await newDoctor({ l1_code: '13002', l2_code: '13' });
  const l1 = await office('office_l1', '--l1', '13002');
  const own = await newPage(browser);
  await signIn(own, doctor);
  await own.goto('/me/procedures/new');
  await own.locator('#kind').selectOption('change');
  await own.locator('#workplace_name').fill('見本病院');
  await own.locator('#effective_on').fill(await today());
  await press(own, '提出する');
  await said(own, '手続きを受け付けました。');
  await l1.goto('/procedures');
  await l1.getByLabel(`${doctor.name}さんの手続きを選ぶ`).first().waitFor();
  await press(l1, '通常の手続きをすべて選ぶ');
  await l1.getByRole('button', { name: /件を承認する/ }).click();
  await said(l1, '件を承認しました。');
  await own.reload();
  await own.locator('h1 + *', { hasText: '発効' }).waitFor();
  await close(own);

  await l1.goto('/procedures/new');
  await settled(l1);
  await l1.locator('#register_no').fill(doctor.register_no);
  await l1.locator('#birth_on').fill(doctor.birth_on);
  await l1.locator('#kind').selectOption('withdrawal_l3');
  await l1.locator('#effective_on').fill(await today(10));
  await audit(l1, 'a paper entered');
  await press(l1, '提出する');
  await said(l1, '手続きを受け付けました。');
  assert.ok(await l1.getByText('医師会が入力').first().isVisible(), 'entered by an office, and marked so');
  await close(l1);
});
