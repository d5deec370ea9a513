// Signing in: mistakes are named at their field, everything works by keyboard, both languages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, axeClean, close, launch, newPage, settled, tabTo } from '../lib/browser.mjs';
import { demo } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const summary = (page) => page.locator('.notice.bad[tabindex="-1"]');

test('empty and wrong entries are explained', async () => {
  const page = await newPage(browser);
  await page.goto('/login');
  await page.getByRole('button', { name: 'ログインする' }).click();
  await summary(page).waitFor();
  assert.ok(await summary(page).evaluate((box) => box === document.activeElement), 'the summary has the focus');
  assert.equal(await page.locator('#login_id').getAttribute('aria-invalid'), 'true');
  assert.match(await page.locator('#login_id').getAttribute('aria-describedby'), /login_id-error/);
  await summary(page).getByRole('link', { name: 'パスワードを入力してください。' }).click();
  assert.ok(await page.locator('#password').evaluate((field) => field === document.activeElement), 'its link leads to the field');
  await audit(page, 'login with errors');

  await page.getByLabel('ログインID').fill('0000000000');
  await page.getByLabel('パスワード', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'ログインする' }).click();
  await summary(page).getByText('ログインIDまたはパスワードが違います').waitFor();
  assert.equal(await page.getByLabel('ログインID').inputValue(), '0000000000', 'the ID stays');
  assert.equal(await page.getByLabel('パスワード', { exact: true }).inputValue(), '', 'the password does not');
  await close(page);
});

test('the password can be shown', async () => {
  const page = await newPage(browser);
  await page.goto('/login');
  const field = page.getByLabel('パスワード', { exact: true });
  await field.fill('something');
  await page.getByLabel('パスワードを表示する').check();
  assert.equal(await field.getAttribute('type'), 'text');
  await page.getByLabel('パスワードを表示する').uncheck();
  assert.equal(await field.getAttribute('type'), 'password');
  await close(page);
});

test('signing in and out by keyboard alone', async () => {
  const page = await newPage(browser);
  await page.goto('/login');
  await settled(page);
  await tabTo(page, page.getByLabel('ログインID'));
  await page.keyboard.type(demo.accounts.doctor.login_id);
  await tabTo(page, page.getByLabel('パスワード', { exact: true }));
  await page.keyboard.type(demo.accounts.doctor.password);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/me');
  await settled(page);
  assert.equal(await page.title(), 'マイページ - MAMIS');
  await page.reload();
  await settled(page);
  // From the top of a fresh page the first stop is the way past the menu.
  await page.keyboard.press('Shift+Tab');
  const skip = page.getByRole('link', { name: '本文へ進む' });
  await skip.focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.evaluate(() => document.querySelector('.skip').focus());
  await tabTo(page, page.getByRole('button', { name: 'ログアウト' }));
  await page.keyboard.press('Enter');
  await page.getByText('ログアウトしました。').waitFor();
  await page.goto('/me');
  await page.waitForURL('**/login?to=%2Fme');
  await close(page);
});

test('the page asked for comes after signing in, but only a page of ours', async () => {
  const page = await newPage(browser);
  await page.goto('/me/credits');
  await page.waitForURL('**/login?to=*');
  await page.getByLabel('ログインID').fill(demo.accounts.doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(demo.accounts.doctor.password);
  await page.getByRole('button', { name: 'ログインする' }).click();
  await page.waitForURL('**/me/credits');
  await page.context().clearCookies();
  await page.goto('/login?to=%2F%2Fevil.example%2F');
  await page.getByLabel('ログインID').fill(demo.accounts.doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(demo.accounts.doctor.password);
  await page.getByRole('button', { name: 'ログインする' }).click();
  await page.waitForURL('**/me');
  await close(page);
});

test('help for people who cannot get in', async () => {
  const page = await newPage(browser);
  await page.goto('/login');
  await page.getByRole('heading', { name: 'お問い合わせ' }).waitFor();
  await page.getByRole('link', { name: '利用者登録はこちら' }).click();
  await page.waitForURL('**/start');
  await audit(page, 'how to register');
  await page.goto('/login');
  await page.getByRole('link', { name: /パスワードをお忘れ/ }).click();
  await page.getByLabel('メールアドレス').fill('nobody@example.jp');
  await page.getByRole('button', { name: '送信する' }).click();
  await page.getByText('メールをご確認ください').waitFor();
  await audit(page, 'reset requested');
  await close(page);
});

test('English', async () => {
  const page = await newPage(browser);
  await page.goto('/login');
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.getByLabel('Login ID').fill('0000000000');
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  const answered = page.waitForResponse('**/api/v1/session');
  await page.getByRole('button', { name: 'Sign in' }).click();
  assert.equal((await answered).request().headers()['accept-language'], 'en');
  await audit(page, 'login in English');
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
  await close(page);
});

test('when many sign in, one sees the place and comes in by itself', async () => {
  const page = await newPage(browser);
  const told = { type: 'urn:mamis:problem:sign_in_queue', title: 'ログインの順番をお待ちください', status: 503, detail: '順番をお待ちください。', code: 'sign_in_queue', place: 240, wait_s: 130 };
  const places = [{ place: 90, wait_s: 50, retry_s: 1 }, { place: 0, wait_s: 0, retry_s: 0 }];
  let sent = 0;
  await page.route('**/api/v1/session', async (route) => {
    sent += 1;
    if (sent > 1) return route.continue();
    return route.fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'Retry-After': '2' }, body: JSON.stringify(told) });
  });
  await page.route('**/api/v1/session/place', (route) => route.fulfill({ json: places.shift() }));
  await page.goto('/login');
  await page.getByLabel('ログインID').fill(demo.accounts.doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(demo.accounts.doctor.password);
  await page.getByRole('button', { name: 'ログインする' }).click();
  await page.getByText('あなたの順番: 240番目').waitFor();
  const said = page.getByRole('status').filter({ hasText: 'あと約3分です。' });
  assert.equal(await said.count(), 1, 'the waiting time is said');
  await axeClean(page, 'waiting to sign in');
  await page.getByRole('status').filter({ hasText: 'まもなく順番です。' }).waitFor();
  await page.getByText('あなたの順番: 90番目').waitFor();
  await page.waitForURL('**/me');
  assert.equal(sent, 2, 'nothing had to be typed again');
  assert.equal(places.length, 0);
  await close(page);
});
