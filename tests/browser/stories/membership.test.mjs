// A doctor joins: files once, is asked to correct it, passes two desks; the office's list, one press.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
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

test('a form is kept on leaving, gone on with on another device, and thrown away', async () => {
  const doctor = await newDoctor({ l1_code: '13002', l2_code: '13' });
  const phone = await newPage(browser);
  await signIn(phone, doctor, '/me/procedures/new');
  await settled(phone);
  await phone.locator('#kind').selectOption('change');
  await phone.locator('#workplace_name').fill('見本病院');
  await press(phone, '下書きを保存');
  await said(phone, '下書きを保存しました。');
  await phone.locator('#phone').fill('03-0000-0000');
  await Promise.all([
    phone.waitForResponse((answer) => answer.url().endsWith('/procedure-drafts') && answer.request().method() === 'PUT'),
    phone.getByRole('link', { name: 'マイページ', exact: true }).first().click(),
  ]);

  const desktop = await newPage(browser);
  await signIn(desktop, doctor, '/me/procedures');
  await desktop.getByText('下書きがあります').waitFor();
  await audit(desktop, 'a draft among the procedures');
  await desktop.getByRole('link', { name: '下書きの続きを入力する' }).click();
  await press(desktop, '異動（会員情報の変更）の続きを入力する');
  assert.equal(await desktop.locator('#workplace_name').inputValue(), '見本病院');
  assert.equal(await desktop.locator('#phone').inputValue(), '03-0000-0000');
  await audit(desktop, 'a draft gone on with');
  // A page that does not go on with it overwrites nothing.
  await phone.goto('/me/procedures/new');
  await phone.getByText('下書きがあります').waitFor();
  await phone.locator('#kind').selectOption('change');
  await phone.locator('#phone').fill('1');
  await press(phone, '下書きを保存');
  await phone.getByRole('alert').filter({ hasText: '別の下書きがあります' }).waitFor();
  await audit(phone, 'another draft');
  await shot(phone, 'phone', { width: 390, height: 760 });
  await close(phone);

  await press(desktop, '異動（会員情報の変更）の下書きを捨てる');
  await desktop.getByRole('dialog').getByRole('button', { name: '捨てる', exact: true }).click();
  await said(desktop, '下書きを捨てました。');
  await desktop.locator('#workplace_name').fill('別の病院');
  await desktop.locator('#effective_on').fill(await today());
  await press(desktop, '下書きを保存');
  await said(desktop, '下書きを保存しました。');
  await press(desktop, '提出する');
  await said(desktop, '手続きを受け付けました。');
  await desktop.goto('/me/procedures');
  await desktop.getByRole('row', { name: /異動/ }).first().waitFor();
  assert.equal(await desktop.getByText('下書きがあります').count(), 0, 'filing removes it');
  await close(desktop);
});

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
  await shot(l1, 'at-the-desk');
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
  await shot(own, 'memberships');
  await close(own);
  await l1.goto(`/members?q=${doctor.register_no}`);
  await l1.getByRole('row', { name: new RegExp(doctor.register_no) }).waitFor();
  await audit(l1, 'members on a day');
  await shot(l1, 'members-on');
  await close(l1);
});

test('plain ones are approved together, a paper is entered for a doctor', async () => {
  const doctor = await newDoctor({ l1_code: '13002', l2_code: '13' });
  const l1 = await office('office_l1', '--l1', '13002');
  const own = await newPage(browser);
  await signIn(own, doctor, '/me/procedures/new');
  await own.locator('#kind').selectOption('change');
  await own.locator('#workplace_name').fill('見本病院');
  await own.locator('#effective_on').fill(await today());
  await press(own, '提出する');
  await said(own, '手続きを受け付けました。');
  await l1.goto('/procedures');
  await l1.getByLabel(`${doctor.name}さんの手続きを選ぶ`).first().waitFor();
  await press(l1, '通常の手続きをすべて選ぶ');
  await shot(l1, 'bulk');
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
