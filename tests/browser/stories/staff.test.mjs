// Accounts of staff and tokens of programs: made, mended and ended by an administrator, who proves
// who they are again; also on a slow line and after a session that ended.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { slow } from '../lib/slow.mjs';
import { demo, mailTo, mamisctl, PASSWORD } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function administrator() {
  const login_id = `admin-${randomInt(1e9)}`;
  await mamisctl('account', 'create', '--role', 'office_l2', '--l2', '13', '--login', login_id, '--password', PASSWORD, '--name', '管理　担当', '--administrator');
  return { login_id, password: PASSWORD };
}

const press = (place, name) => place.getByRole('button', { name, exact: true }).click();

/** As if the password had been given long ago: the first such request is told so. */
async function wantsProof(page, path) {
  let asked = 0;
  await page.route(`**/api/v1${path}`, async (route) => {
    if (route.request().method() === 'GET' || asked++ > 0) return route.continue();
    const problem = { type: 'about:blank', title: 'x', status: 403, detail: 'x', code: 'reauthentication_needed' };
    return route.fulfill({ status: 403, contentType: 'application/problem+json', json: problem });
  });
}

async function prove(page) {
  const dialog = page.getByRole('dialog');
  await dialog.locator('#prove-password').fill(PASSWORD);
  await audit(page, 'proving who one is');
  await dialog.locator('button[type=submit]').click();
}

test('somebody is invited, suspended, restored and ended', async () => {
  const page = await newPage(browser);
  const email = `staff${randomInt(1e9)}@example.jp`;
  await signIn(page, await administrator(), '/staff');
  await settled(page);
  await press(page, '担当者を招待する');
  await press(page, '招待メールを送る');
  // Mistakes stand at their field and in the summary, which has the focus.
  await page.locator('#name-error').waitFor();
  await page.locator('#email-error').waitFor();
  assert.ok(await page.locator('.notice.bad').first().evaluate((box) => box === document.activeElement));
  await audit(page, 'inviting staff with errors');
  await wantsProof(page, '/staff');
  await page.locator('#name').fill('招待　花子');
  await page.locator('#email').fill(email);
  await press(page, '招待メールを送る');
  await prove(page);
  await page.getByText(`${email} に招待メールを送りました。`).waitFor();
  await mailTo(email, /\/link#/);
  const row = page.getByRole('row').filter({ hasText: email });
  await row.getByText('招待中').waitFor();
  await audit(page, 'staff');
  await shot(page, 'staff');
  for (const [deed, reason, status] of [
    ['停止する', '休職', '停止中'],
    ['再開する', '', '招待中'],
    ['終了する', '退職', '終了'],
  ]) {
    await press(row, deed);
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    if (reason) {
      await dialog.getByRole('button', { name: deed, exact: true }).click();
      await dialog.locator('[id$=-error]').first().waitFor();
      await audit(page, `staff: ${deed}`);
      await dialog.getByLabel('理由').fill(reason);
    }
    await dialog.getByRole('button', { name: deed, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await row.getByText(status, { exact: true }).waitFor();
  }
  await close(page);
});

test('what was typed stays when the session ends', async () => {
  const page = await newPage(browser);
  const who = await administrator();
  const email = `kept${randomInt(1e9)}@example.jp`;
  await signIn(page, who, '/staff');
  await settled(page);
  await press(page, '担当者を招待する');
  await page.locator('#name').fill('途中　太郎');
  await page.locator('#email').fill(email);
  await page.context().clearCookies();
  await press(page, '招待メールを送る');
  const dialog = page.getByRole('dialog', { name: 'ログインの期限が切れました' });
  await dialog.getByLabel('ログインID').fill(who.login_id);
  await dialog.getByLabel('パスワード', { exact: true }).fill(PASSWORD);
  await press(dialog, 'ログインする');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(`${email} に招待メールを送りました。`).waitFor();
  await close(page);
});

test('a token is shown once and revoked; a slow line makes one', async () => {
  const page = await newPage(browser);
  const label = `試験用プログラム${randomInt(1e9)}`;
  await signIn(page, demo.accounts.organiser, '/tokens');
  await settled(page);
  await press(page, 'トークンを作成する');
  await page.locator('#label-error').waitFor();
  await audit(page, 'tokens with errors');
  await slow(page);
  let sent = 0;
  page.on('request', (request) => (sent += request.method() === 'POST' && request.url().endsWith('/api/v1/tokens')));
  await page.locator('#label').fill(label);
  await page.getByRole('button', { name: 'トークンを作成する' }).dblclick();
  await page.getByRole('button', { name: '送信しています…' }).waitFor();
  await page.locator('#label').press('Enter');
  assert.equal(await page.locator('#label').inputValue(), label);
  await page.getByText('今だけ表示されます。', { exact: false }).waitFor();
  assert.equal(sent, 1);
  const row = page.getByRole('row').filter({ hasText: label });
  await press(row, '取り消す');
  const dialog = page.getByRole('dialog');
  await audit(page, 'revoking a token');
  await press(dialog, '取り消す');
  await dialog.waitFor({ state: 'detached' });
  await row.getByText('取り消し済み').waitFor();
  await close(page);
});
