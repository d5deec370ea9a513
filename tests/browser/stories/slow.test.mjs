// A slow line: pages say that they load, forms that they send, and nothing is sent twice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, launch, newPage, settled, signIn, slow } from '../lib/browser.mjs';
import { demo, newDoctor } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Counts what is sent from now on. */
function sent(page, method, path) {
  const seen = [];
  page.on('request', (request) => {
    if (request.method() === method && new URL(request.url()).pathname === path) seen.push(request);
  });
  return seen;
}

test('signing in: the button says so and does it once', async () => {
  const page = await newPage(browser);
  await page.goto('/login');
  await settled(page);
  await slow(page);
  const tries = sent(page, 'POST', '/api/v1/session');
  await page.getByLabel('ログインID').fill(demo.accounts.doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(demo.accounts.doctor.password);
  await page.getByRole('button', { name: 'ログインする' }).dblclick();
  const busy = page.getByRole('button', { name: '送信しています…' });
  await busy.waitFor();
  assert.equal(await busy.getAttribute('aria-disabled'), 'true');
  await busy.dispatchEvent('click');
  await page.getByLabel('パスワード', { exact: true }).press('Enter');
  await page.waitForURL('**/me');
  assert.equal(tries.length, 1);
  await close(page);
});

test('pages announce that they load, whole parts too', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  await settled(page);
  await slow(page);
  for (const name of ['単位', '認定証', '登録情報']) {
    await page.getByRole('link', { name, exact: true }).click();
    const loading = page.getByRole('status').filter({ hasText: '読み込んでいます…' });
    await loading.first().waitFor();
    await settled(page);
  }
  await close(page);
});

test('a form is sent once, and says that it is sent', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  await page.goto('/me/profile');
  await settled(page);
  await slow(page);
  const saved = sent(page, 'PUT', '/api/v1/me/profile');
  await page.getByLabel('勤務先の名称').fill('遅い回線の診療所');
  await page.getByRole('button', { name: '保存する' }).dblclick();
  await page.getByRole('button', { name: '送信しています…' }).waitFor();
  await page.getByLabel('勤務先の名称').press('Enter');
  await page.getByText('保存しました。').waitFor();
  assert.equal(saved.length, 1);
  await page.goto('/me/delegates');
  await settled(page);
  const invited = sent(page, 'POST', '/api/v1/me/delegates');
  await page.getByLabel('氏名').fill('遅い　受付');
  await page.getByLabel('メールアドレス').fill(`slow${doctor.mamis_no}@example.jp`);
  await page.getByRole('button', { name: 'ご案内を送る' }).dblclick();
  await page.getByText('ご案内を送りました。').waitFor();
  assert.equal(invited.length, 1);
  await close(page);
});

test('what was typed stays when the line breaks', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  await page.goto('/me/delegates');
  await settled(page);
  await page.getByLabel('氏名').fill('切れた　回線');
  await page.getByLabel('メールアドレス').fill(`cut${doctor.mamis_no}@example.jp`);
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'ご案内を送る' }).click();
  await page.getByText('サーバーにつながりません').first().waitFor();
  assert.equal(await page.getByLabel('氏名').inputValue(), '切れた　回線');
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'ご案内を送る' }).click();
  await page.getByText('ご案内を送りました。').waitFor();
  await close(page);
});
