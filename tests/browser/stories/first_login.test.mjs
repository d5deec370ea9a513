// First login with the postcard: every step, taken up again where it was left, to one's own password.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { mailTo, newDoctor } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const OWN = '新しい合言葉は十三文字以上';
const step = (page) => page.locator('.steps [aria-current="step"]').innerText();
const press = (page, name) => page.getByRole('button', { name, exact: typeof name === 'string' }).click();

test('from the postcard to My Page', async () => {
  const doctor = await newDoctor({ my_page: 'temp_issued', email: '' });
  const address = `first${doctor.register_no}@example.jp`;
  let page = await newPage(browser);

  await signIn(page, doctor);
  await page.waitForURL('**/first-login');
  assert.match(await step(page), /利用規約/);
  await audit(page, 'terms');
  await press(page, '同意して次へ進む');
  await page.getByRole('link', { name: /チェックを入れてください/ }).waitFor();
  await page.getByLabel('利用規約に同意します').check();
  await press(page, '同意して次へ進む');

  await page.getByRole('heading', { name: 'メールアドレスの登録' }).waitFor();
  await page.getByLabel(/^メールアドレス/).fill('not an address');
  await press(page, '確認メールを送る');
  await page.locator('#email-error').waitFor();
  await page.getByLabel(/^メールアドレス/).fill(address);
  await audit(page, 'email');
  await press(page, '確認メールを送る');

  await page.getByRole('heading', { name: 'メールをご確認ください' }).waitFor();
  await page.getByText(address).waitFor();
  await audit(page, 'waiting for the mail');

  // The browser is closed; the next sign-in comes back to this step, and other pages lead to it.
  await close(page);
  page = await newPage(browser);
  await signIn(page, doctor);
  await page.getByRole('heading', { name: 'メールをご確認ください' }).waitFor();
  await page.goto('/me/credits');
  await page.waitForURL('**/first-login');

  // The link is opened elsewhere: looking does nothing, the button does; this page goes on by itself.
  const [, link] = /(\/link#[\w.-]+)/.exec(await mailTo(address, /\/link#/));
  const elsewhere = await newPage(browser);
  await elsewhere.goto(link);
  await settled(elsewhere);
  await audit(elsewhere, 'link');
  assert.match(await step(page), /メールの確認/);
  await press(elsewhere, '手続きを進める');
  await elsewhere.getByRole('heading', { name: 'メールアドレスを確認しました' }).waitFor();
  assert.ok(!elsewhere.url().includes('#'), 'the secret left the address');
  await elsewhere.goto('/login');
  await elsewhere.goto(link);
  await press(elsewhere, '手続きを進める');
  await elsewhere.getByText('使用済み').first().waitFor();
  await close(elsewhere);

  await page.getByRole('heading', { name: '利用者登録情報の入力' }).waitFor();
  await audit(page, 'profile');
  await page.getByLabel(/^氏名カナ/).fill('');
  await page.getByLabel(/^生年月日/).fill('昨日');
  await press(page, '確認画面へ進む');
  await page.locator('#name_kana-error').waitFor();
  await page.locator('#birth_on-error').waitFor();
  await shot(page, 'first-login');
  await page.getByLabel(/^氏名カナ/).fill(doctor.name_kana);
  await page.getByLabel(/^生年月日/).fill('昭和53年5月4日');
  await page.getByLabel('勤務先の名称').fill('見本診療所');
  await page.getByLabel('勤務先の郵便番号').fill('８１２－０００１');
  await press(page, '確認画面へ進む');
  await page.getByRole('heading', { name: '登録情報の確認' }).waitFor();
  await page.getByText('1978年5月4日').waitFor();
  await audit(page, 'profile to confirm');
  await press(page, '内容を直す');
  assert.equal(await page.getByLabel('勤務先の名称').inputValue(), '見本診療所');
  await press(page, '確認画面へ進む');
  await press(page, '登録する');

  await page.getByRole('heading', { name: 'ご自身のパスワードの設定' }).waitFor();
  await page.getByLabel('新しいパスワード').fill('短すぎる');
  await page.getByText('あと9文字').waitFor();
  await press(page, '設定して登録を終える');
  await page.locator('#password-error').waitFor();
  await page.getByLabel('新しいパスワード').fill(OWN);
  await page.locator('p:not(.sr)', { hasText: '長さは十分です' }).waitFor();
  await audit(page, 'own password');
  await press(page, '設定して登録を終える');
  await page.getByRole('heading', { name: 'マイページの登録が終わりました' }).waitFor();
  await page.getByRole('link', { name: 'マイページへ' }).click();
  await page.waitForURL('**/me');
  await press(page, 'ログアウト');
  await page.getByText('ログアウトしました。').waitFor();

  // The postcard is dead; the address is a login ID now.
  await page.getByLabel('ログインID').fill(doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(doctor.password);
  await press(page, 'ログインする');
  await page.locator('.notice.bad').waitFor();
  await signIn(page, { login_id: address, password: OWN });
  await page.waitForURL('**/me');
  await close(page);
});

test('a forgotten password', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await page.goto('/reset');
  await page.getByLabel('メールアドレス').fill(doctor.email);
  await press(page, '送信する');
  await page.getByText('再設定用のリンクをお送りしました', { exact: false }).waitFor();
  const [, link] = /(\/link#[\w.-]+)/.exec(await mailTo(doctor.email, /\/link#/));
  await page.goto(link);
  await press(page, '手続きを進める');
  await page.getByRole('heading', { name: '新しいパスワードの設定' }).waitFor();
  await audit(page, 'new password');
  await page.getByLabel('新しいパスワード').fill('passwordpassword');
  await press(page, 'パスワードを変更する');
  await page.locator('#password-error').waitFor();
  await page.getByLabel('新しいパスワード').fill(OWN);
  await press(page, 'パスワードを変更する');
  await page.getByRole('heading', { name: 'パスワードを変更しました' }).waitFor();
  // Already in; and the new password is the one that counts.
  await page.getByRole('link', { name: 'トップへ' }).click();
  await page.waitForURL('**/me');
  await press(page, 'ログアウト');
  await page.waitForURL('**/login?left=1');
  await signIn(page, { login_id: doctor.mamis_no, password: OWN });
  await page.waitForURL('**/me');
  await close(page);
});
