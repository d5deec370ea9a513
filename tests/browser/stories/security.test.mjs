// Second factors and sessions: registering an app, signing in with it, proving again, ending others.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn, tabTo } from '../lib/browser.mjs';
import { appCode, baseUrl, newDoctor, PASSWORD } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function fillLogin(page, doctor) {
  await page.getByLabel('ログインID').fill(doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'ログインする' }).click();
}

/** The app's secret and the recovery codes. */
async function enrol(page) {
  await page.goto('/account/security');
  await settled(page);
  await page.getByRole('button', { name: '認証アプリを登録する' }).click();
  await page.getByRole('button', { name: '認証アプリを登録する' }).click();
  await page.getByRole('img', { name: '認証アプリ用のQRコード' }).waitFor();
  const secret = (await page.locator('form .code').innerText()).replace(/ /g, '');
  await audit(page, 'registering an app');
  await page.getByLabel('確認コード').fill('000000');
  await page.getByRole('button', { name: '登録する', exact: true }).click();
  await page.locator('#code-error').waitFor();
  await page.getByLabel('確認コード').fill(await appCode(secret));
  await page.getByRole('button', { name: '登録する', exact: true }).click();
  await page.getByText('回復用コード').first().waitFor();
  const codes = await page.locator('.recovery li').allInnerTexts();
  assert.equal(codes.length, 10);
  await audit(page, 'recovery codes');
  await page.getByRole('button', { name: '保管しました' }).click();
  await page.getByText('登録済み').waitFor();
  return { secret, codes };
}

test('an authenticator app, from registering to removing it', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  const { secret, codes } = await enrol(page);

  const other = await newPage(browser);
  await other.goto('/me/credits');
  await other.waitForURL('**/login?to=*');
  await fillLogin(other, doctor);
  await other.getByRole('heading', { name: '2つ目の確認', level: 1 }).waitFor();
  await audit(other, 'second step');
  await other.getByLabel('確認コード').fill('123456');
  await other.getByRole('button', { name: '確認する' }).click();
  await other.locator('#code-error').waitFor();
  await other.getByLabel('確認コード').fill(await appCode(secret, 1));
  await other.keyboard.press('Enter');
  await other.waitForURL('**/me/credits');
  await settled(other);

  // By keyboard alone: a recovery code does too.
  await other.getByRole('button', { name: 'ログアウト' }).click();
  await other.waitForURL('**/login?left=1');
  await fillLogin(other, doctor);
  await tabTo(other, other.getByLabel('確認コード'));
  await other.keyboard.type(codes[0]);
  await other.keyboard.press('Enter');
  await other.waitForURL('**/me');

  // Where one is signed in, and ending it.
  await page.reload();
  await page.getByText('この端末').waitFor();
  await page.getByRole('button', { name: /のログインを終了する/ }).first().waitFor();
  await page.getByRole('button', { name: 'ほかの端末をすべて終了する' }).click();
  await page.getByText('ほかの端末のログインをすべて終了しました。').waitFor();
  await other.goto('/me/credits');
  await other.waitForURL('**/login?to=*');
  await close(other);

  await page.getByRole('button', { name: '認証アプリの登録を外す' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '認証アプリの登録を外す' }).click();
  await page.getByRole('definition').getByText('登録されていません').waitFor();
  await close(page);
});

test('a sensitive change asks again and then goes on', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/profile');
  await settled(page);
  // As if the password had been given long ago.
  let asked = 0;
  await page.route('**/api/v1/me/email', async (route) => {
    if (asked++ > 0) return route.continue();
    const problem = { type: 'about:blank', title: 'x', status: 403, detail: 'x', code: 'reauthentication_needed' };
    return route.fulfill({ status: 403, contentType: 'application/problem+json', json: problem });
  });
  await page.getByRole('button', { name: 'メールアドレスを変更する' }).click();
  await page.getByLabel('新しいメールアドレス').fill(`n${doctor.email}`);
  await page.getByRole('button', { name: '確認メールを送る' }).click();
  const dialog = page.getByRole('dialog', { name: 'ご本人の確認' });
  await dialog.waitFor();
  await audit(page, 'proving again');
  await dialog.getByLabel('パスワード', { exact: true }).fill('not the password');
  await page.keyboard.press('Enter');
  await page.locator('#prove-password-error').waitFor();
  await dialog.getByLabel('パスワード', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(`n${doctor.email}`).waitFor();
  await close(page);
});

test('a session that ended asks for the second factor too, and the page stays', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  const { secret } = await enrol(page);
  await page.goto('/me/profile');
  await page.getByLabel('勤務先の名称').fill('途中まで書いた診療所');
  await page.context().clearCookies();
  await page.getByRole('button', { name: '保存する' }).click();
  const dialog = page.getByRole('dialog', { name: 'ログインの期限が切れました' });
  await dialog.getByLabel('ログインID').fill(doctor.login_id);
  await dialog.getByLabel('パスワード', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'ログインする' }).click();
  await dialog.getByLabel('確認コード').fill(await appCode(secret, 1));
  await dialog.getByRole('button', { name: '確認する' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('保存しました。').waitFor();
  assert.equal(await page.getByLabel('勤務先の名称').inputValue(), '途中まで書いた診療所');
  await close(page);
});

/** A person at a machine with a built-in authenticator; browsers make no passkeys for bare addresses. */
async function pageWithAuthenticator() {
  const page = await newPage(browser, { baseURL: baseUrl.replace('127.0.0.1', 'localhost') });
  const debug = await page.context().newCDPSession(page);
  await debug.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2',
    transport: 'internal',
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await debug.send('WebAuthn.addVirtualAuthenticator', { options });
  const person = (isUserVerified) => debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  return { page, person };
}

test('a passkey, alone and as the second factor', async () => {
  const doctor = await newDoctor();
  const { page, person } = await pageWithAuthenticator();
  await signIn(page, doctor, '/account/security');
  await settled(page);
  await page.getByRole('button', { name: 'パスキーを登録する' }).click();
  await page.getByRole('button', { name: '端末で確認して登録する' }).click();
  await page.locator('#label-error').waitFor();
  await audit(page, 'registering a passkey');
  await page.getByLabel('パスキーの名前').fill('自宅のパソコン');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: '保管しました' }).click();
  await page.getByText('自宅のパソコン').waitFor();
  await audit(page, 'a registered passkey');
  await shot(page, 'security', { width: 1100, height: 980 });

  // Alone.
  await page.getByRole('button', { name: 'ログアウト' }).click();
  await page.waitForURL('**/login?left=1');
  await audit(page, 'login with passkeys');
  await shot(page, 'sign-in');
  await page.getByRole('button', { name: 'パスキーを使う' }).click();
  await page.waitForURL('**/me');
  await settled(page);

  // As the second factor, by keyboard.
  await page.getByRole('button', { name: 'ログアウト' }).click();
  await page.waitForURL('**/login?left=1');
  await fillLogin(page, doctor);
  await page.getByRole('heading', { name: '2つ目の確認', level: 1 }).waitFor();
  await tabTo(page, page.getByRole('button', { name: 'パスキーで確認する' }));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/me');

  // Somebody else's finger.
  await page.getByRole('button', { name: 'ログアウト' }).click();
  await page.waitForURL('**/login?left=1');
  await person(false);
  await page.getByRole('button', { name: 'パスキーを使う' }).click();
  await page.getByRole('button', { name: 'パスキーを使う' }).and(page.locator(':not([aria-disabled])')).waitFor();
  assert.match(page.url(), /login/);
  await person(true);
  await page.getByRole('button', { name: 'パスキーを使う' }).click();
  await page.waitForURL('**/me');

  await page.goto('/account/security');
  await page.getByRole('button', { name: 'パスキー「自宅のパソコン」を外す' }).click();
  await page.getByText('パスキーを外しました。').waitFor();
  await close(page);
});
