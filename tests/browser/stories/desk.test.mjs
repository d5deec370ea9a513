// Without a postcard: from the sign-up over the desk that looks at the licence to first login; and
// what the desk does for those who cannot get in.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { apiAs, demo, mailTo, newDoctor } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const PNG = new URL('../../fuzz/corpus/document/small.png', import.meta.url);
const press = (page, name) => page.getByRole('button', { name, exact: typeof name === 'string' }).click();
const said = (page, text) => page.locator('.notice.good', { hasText: text }).waitFor();
const linkOf = (mail) => /(\/link#[\w.-]+)/.exec(mail)[1];

/** In the dialog that is open: no act without a reason. */
async function giveReason(page, action, reason) {
  const dialog = page.getByRole('dialog');
  await audit(page, action);
  await dialog.getByRole('button', { name: action }).click();
  await page.locator('#reason-error').waitFor();
  await dialog.getByLabel(/^理由/).fill(reason);
  await dialog.getByRole('button', { name: action }).click();
}

test('a doctor without a postcard gets in', async () => {
  const address = `story${Date.now()}@example.jp`;
  const page = await newPage(browser);
  await page.goto('/start');
  await page.getByRole('link', { name: /はがきをお持ちでない方の申し込み/ }).click();
  await page.getByRole('heading', { name: /利用者登録の申し込み/ }).waitFor();
  await press(page, '申し込む');
  for (const field of ['name', 'name_kana', 'sex', 'birth_on', 'register_no', 'licensed_on', 'email'])
    await page.locator(`#${field}-error`).waitFor();
  await audit(page, 'sign-up with errors');
  await page.locator('#name').fill('物語　花子');
  await page.locator('#name_kana').fill('モノガタリ　ハナコ');
  await page.getByLabel('女性').check();
  await page.getByLabel(/^生年月日/).fill('昭和55年5月1日');
  await page.getByLabel(/^医籍登録番号/).fill(`７${String(Date.now()).slice(-6)}`);
  await page.getByLabel(/^医籍登録年月日/).fill('平成18年4月20日');
  await page.getByLabel(/^メールアドレス/).fill(address);
  await press(page, '申し込む');
  await page.getByRole('heading', { name: 'メールをご確認ください' }).waitFor();
  await audit(page, 'sign-up sent');

  await page.goto(linkOf(await mailTo(address, /医師免許証の写し/)));
  await press(page, '手続きを進める');
  await page.getByRole('heading', { name: '医師免許証の写しの送付' }).waitFor();
  await press(page, '送って申し込みを完了する');
  await page.locator('#licence-error').waitFor();
  await page.getByLabel(/^医師免許証の写し/).setInputFiles({ name: 'a.zip', mimeType: 'image/png', buffer: Buffer.from('PK\x03\x04') });
  await press(page, '送って申し込みを完了する');
  await page.getByText('中身がPDF・JPEG・PNGのどれでもありません').waitFor();
  await audit(page, 'licence refused');
  const licence = await readFile(PNG);
  await page.getByLabel(/^医師免許証の写し/).setInputFiles({ name: 'licence.png', mimeType: 'image/png', buffer: licence });
  await press(page, '送って申し込みを完了する');
  await page.getByRole('heading', { name: '申し込みを受け付けました' }).waitFor();
  assert.ok(!page.url().includes('#'), 'the secret left the address');

  const desk = await newPage(browser);
  await signIn(desk, demo.accounts.call_centre);
  await desk.getByRole('link', { name: '登録の申し込み' }).click();
  await desk.getByRole('link', { name: '物語　花子' }).last().click();
  await desk.getByRole('heading', { name: '物語　花子さんの申し込み' }).waitFor();
  await audit(desk, 'one sign-up');
  await shot(desk, 'sign-up-desk');
  const [download] = await Promise.all([desk.waitForEvent('download'), desk.getByRole('link', { name: /写しを保存/ }).click()]);
  assert.deepEqual(await readFile(await download.path()), licence);
  await press(desk, '本人と確認して承認する');
  await giveReason(desk, '本人と確認して承認する', '医師免許証を確認した');
  await said(desk, '登録用のリンクをメールで送りました');
  await close(desk);

  await page.goto(linkOf(await mailTo(address, /承認しました/)));
  await press(page, '手続きを進める');
  await page.getByRole('heading', { name: '利用規約への同意' }).waitFor();
  assert.ok(!page.url().includes('#'), 'the secret left the address');
  await page.getByLabel('利用規約に同意します').check();
  await press(page, '同意して次へ進む');
  // The address is confirmed already.
  await page.getByRole('heading', { name: '利用者登録情報の入力' }).waitFor();
  // The browser's own way back does no harm.
  await page.goBack();
  await page.goForward();
  await page.getByRole('heading', { name: '利用者登録情報の入力' }).waitFor();
  await close(page);
});

test('no agreement ends first login, which begins again', async () => {
  const doctor = await newDoctor({ my_page: 'temp_issued', email: '' });
  const page = await newPage(browser);
  await signIn(page, doctor);
  await press(page, /同意しない/);
  await page.getByText('ログアウトしました。').waitFor();
  await signIn(page, doctor);
  await page.getByRole('heading', { name: '利用規約への同意' }).waitFor();
  await close(page);
});

test('the desk finds by number and mails again', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.call_centre);
  await page.getByRole('heading', { name: 'アカウントの窓口' }).waitFor();
  await page.getByLabel(/^MAMIS番号または医籍登録番号/).fill('1234567');
  await press(page, '探す');
  await page.getByText('この番号の方はいません。').waitFor();
  await page.getByLabel(/^MAMIS番号または医籍登録番号/).fill(doctor.register_no);
  await press(page, '探す');
  await page.getByRole('heading', { name: doctor.name }).waitFor();
  assert.equal(await page.getByText(doctor.email).count(), 0);
  await audit(page, 'found');
  await shot(page, 'call-centre');
  await press(page, 'メールをもう一度送る');
  await giveReason(page, 'メールをもう一度送る', '届かないと電話があった');
  await said(page, 'メールを送りました。');
  await mailTo(doctor.email, /パスワード再設定/);
  await close(page);
});

test('the national office links certification data', async () => {
  const doctor = await newDoctor({ my_page: 'link_pending', op_no: String(Date.now()).slice(-7), op_from: '2024-04-01', op_to: '2029-03-31' });
  const own = await newPage(browser);
  await signIn(own, doctor);
  await own.getByText('反映の予定日').first().waitFor();
  await audit(own, 'waiting for the link');
  const page = await newPage(browser);
  await signIn(page, demo.accounts.office_l3);
  await page.getByRole('link', { name: '認定医情報の反映' }).click();
  await settled(page);
  await audit(page, 'data to link');
  const row = page.getByRole('row', { name: new RegExp(doctor.register_no) });
  for (let more = 0; more < 10 && (await row.count()) === 0; more++) await press(page, 'さらに表示する');
  await row.getByRole('button').click();
  await giveReason(page, '反映する', 'データの移行が終わった');
  await said(page, 'の情報を反映しました。');
  const me = await (await apiAs(doctor))('GET', '/me');
  assert.equal(me.doctor.status, 'active');
  await close(page);
  await close(own);
});
