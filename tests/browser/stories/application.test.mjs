// A renewal from the handbook to the new period: doctor, prefectural office, national office.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, signIn } from '../lib/browser.mjs';
import { apiAs, demo, newDoctor, periodBegin, today } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const press = (page, name) => page.getByRole('button', { name, exact: typeof name === 'string' }).click();
const said = (page, text) => page.locator('.notice.good', { hasText: text }).waitFor();

/** A certificate that ends in about two months, so its window is open and old credits count. */
async function renewingDoctor() {
  const office = await apiAs(demo.accounts.office_l2);
  const { l2_code } = (await office('GET', '/me')).account;
  const to = await today(60);
  return newDoctor({ l2_code, l1_code: `${l2_code}001`, op_no: String(Date.now()).slice(-7), op_from: periodBegin(to), op_to: to });
}

const save = (page) => page.getByRole('form', { name: '認定産業医' }).getByRole('button', { name: '申告を保存する' }).click();

async function declare(page, units) {
  await page.goto('/me/handbook');
  await settled(page);
  for (const [at, value] of units.entries()) {
    await page.locator(`#OP-lines-${at}-half_units`).fill(String(value));
    await page.locator(`#OP-lines-${at}-last_on`).fill('令和7年3月8日');
  }
  await save(page);
  await said(page, '申告を保存しました。');
}

async function apply(page) {
  await page.goto('/me');
  await page.getByRole('link', { name: '更新を申請する' }).click();
  await page.getByRole('heading', { name: /の更新を申請/ }).waitFor();
  await audit(page, 'applying');
  await press(page, 'この内容で申請する');
  await said(page, '申請を受け付けました。');
  return new URL(page.url()).pathname.split('/').pop();
}

test('declared, applied, checked, returned, sent again, forwarded, approved', async () => {
  const doctor = await renewingDoctor();
  const own = await newPage(browser);
  await signIn(own, doctor);
  await own.getByText('まだ足りない単位').waitFor();
  await audit(own, 'My Page, credits missing');

  await own.goto('/me/handbook');
  await settled(own);
  await own.locator('#OP-lines-0-half_units').fill('二');
  await save(own);
  await own.locator('#OP-lines-0-half_units-error').waitFor();
  await audit(own, 'handbook with errors');
  await declare(own, [2, 1, 17]);
  await own.goto('/me');
  await own.getByText('手帳の単位を含みます', { exact: false }).waitFor();
  const id = await apply(own);
  await audit(own, 'own application');

  const l2 = await newPage(browser);
  await signIn(l2, demo.accounts.office_l2);
  await l2.waitForURL('**/applications');
  await audit(l2, 'applications to review');
  await l2.goto(`/applications/${id}`);
  await l2.getByText('手帳で申告された単位を含めて', { exact: false }).waitFor();
  await audit(l2, 'an application to review');
  await press(l2, '送付する');
  await l2.locator('.notice.bad').waitFor();
  await l2.getByLabel(/差し戻す理由/).fill('手帳の「生涯・専門」が1単位足りません。');
  await l2.getByLabel(/再提出の期限/).fill(await today(20));
  await press(l2, '差し戻す');
  await said(l2, '差し戻し');

  await own.reload();
  await own.getByText('差し戻されています').waitFor();
  await own.getByText('が1単位足りません。').first().waitFor();
  await audit(own, 'returned application');
  await declare(own, [2, 1, 18]);
  await own.goto(`/me/applications/${id}`);
  await press(own, '再提出する');
  await said(own, '再提出しました。');

  await l2.reload();
  await l2.getByLabel(/生涯・専門（申告 18単位）/).fill('17');
  await press(l2, '確認した単位を記録する');
  await said(l2, '記録しました。');
  await l2.getByLabel('納付済み').check();
  await press(l2, '記録する');
  await l2.locator('.checks').getByText('未', { exact: true }).waitFor({ state: 'detached' });
  await press(l2, '送付する');
  await said(l2, '全国医師会へ送付済み');
  await close(l2);

  const l3 = await newPage(browser);
  await signIn(l3, demo.accounts.office_l3, `/applications/${id}`);
  await settled(l3);
  await press(l3, '承認する');
  await said(l3, '承認');
  await audit(l3, 'approved application');
  await close(l3);

  await own.reload();
  await own.getByText('新しい有効期間').waitFor();
  assert.equal(await own.locator('.timeline li').count() >= 6, true, 'the history tells each step');
  await own.goto('/me/certificates');
  await own.getByText(doctor.op_no).waitFor();
  await audit(own, 'certificates');
  await close(own);
});

test('rejecting asks first and needs a reason', async () => {
  const doctor = await renewingDoctor();
  const own = await newPage(browser);
  await signIn(own, doctor);
  await declare(own, [2, 1, 17]);
  const id = await apply(own);
  const l2 = await newPage(browser);
  await signIn(l2, demo.accounts.office_l2, `/applications/${id}`);
  await press(l2, /^不承認にする/);
  const dialog = l2.getByRole('dialog', { name: '不承認にする' });
  await dialog.waitFor();
  await audit(l2, 'reject dialog');
  await l2.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await press(l2, /^不承認にする/);
  await dialog.getByRole('button', { name: '不承認にする' }).click();
  await dialog.locator('#reject_reason-error').waitFor();
  await dialog.getByLabel(/不承認の理由/).fill('手帳が確認できません。');
  await dialog.getByRole('button', { name: '不承認にする' }).click();
  await said(l2, '不承認（都道府県医師会）');
  await close(l2);
  await own.reload();
  await own.getByText('手帳が確認できません。').waitFor();
  await close(own);
});
