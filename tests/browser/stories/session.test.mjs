// A session that ends takes nothing away: what was typed stays, and signing in goes on with it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { newDoctor, PASSWORD } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test('typed content outlives the session', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/profile');
  await page.getByLabel('勤務先の名称').fill('途中まで書いた診療所');
  await page.context().clearCookies();
  await page.getByRole('button', { name: '保存する' }).click();
  const dialog = page.getByRole('dialog', { name: 'ログインの期限が切れました' });
  await dialog.waitFor();
  await audit(page, 'signing in again');
  await shot(page, 'session-ended');
  await dialog.getByLabel('ログインID').fill(doctor.login_id);
  await dialog.getByLabel('パスワード', { exact: true }).fill('wrong password here');
  await dialog.getByRole('button', { name: 'ログインする' }).click();
  await dialog.locator('.notice.bad').waitFor();
  await dialog.getByLabel('パスワード', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'ログインする' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('保存しました。').waitFor();
  await page.reload();
  assert.equal(await page.getByLabel('勤務先の名称').inputValue(), '途中まで書いた診療所');
  await close(page);
});

test('leaving instead of signing in again', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  await page.context().clearCookies();
  // The page may have asked for news by itself: then the dialog lies over the link already.
  await page.getByRole('link', { name: '単位', exact: true }).dispatchEvent('click');
  await page.getByRole('dialog').getByRole('button', { name: 'ログインせずに終了する' }).click();
  await page.waitForURL('**/login');
  await settled(page);
  await close(page);
});

test('problems of the server stand at their field', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/profile');
  await page.getByLabel('電話番号').fill('でんわ');
  await page.getByRole('button', { name: '保存する' }).click();
  await page.locator('#phone-error').waitFor();
  assert.equal(await page.locator('#phone').getAttribute('aria-invalid'), 'true');
  assert.ok(await page.locator('.notice.bad').first().evaluate((box) => box === document.activeElement));
  await close(page);
});

test('an address that is no page', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  for (const path of ['/nowhere', '/applications', '/uploads', '/me/applications/not-an-id']) {
    await page.goto(path);
    await page.getByText('見つかりません').first().waitFor();
  }
  await close(page);
});
