// Maintenance: planned in the portal, announced on the sign-in page, a page of its own while it runs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { baseUrl, copyNowMs, demo, mamisctl, newDoctor } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** So many minutes from now by the copy's clock, as a field for date and time holds it. */
const inMinutes = async (minutes) =>
  new Date((await copyNowMs()) + (9 * 60 + minutes) * 60_000).toISOString().slice(0, 16);

/** The gateway has seen that nothing runs any more. */
async function over() {
  for (let tried = 0; tried < 100; tried++) {
    const site = await (await fetch(`${baseUrl}/api/v1/site`)).json();
    if (!site.maintenance.some((one) => one.running)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail('maintenance did not end');
}

/* A gateway reads the calendar once a second; the page is asked for until it has it. */
async function announced(page, text) {
  for (let i = 0; i < 100; i += 1) {
    await page.goto('/login');
    await settled(page);
    if (await page.getByText(text).count() > 0) return;
  }
  assert.fail(`${text} is not announced`);
}

test('the national association plans it, moves it and calls it off', async () => {
  const page = await newPage(browser);
  await signIn(page, demo.accounts.office_l3);
  await page.getByRole('link', { name: 'メンテナンス' }).click();
  await settled(page);
  await page.getByRole('button', { name: '予定する' }).click();
  await page.locator('.notice.bad[tabindex="-1"]').getByText('開始').waitFor();
  await audit(page, 'planning maintenance with errors');
  await page.getByLabel('開始').fill(await inMinutes(24 * 60));
  await page.getByLabel('終了').fill(await inMinutes(23 * 60));
  await page.locator('#note').fill('機器の交換');
  await page.getByRole('button', { name: '予定する' }).click();
  await page.locator('.notice.bad').getByText('メンテナンスの期間を確かめてください').waitFor();
  await page.getByLabel('終了').fill(await inMinutes(26 * 60));
  await page.getByRole('button', { name: '予定する' }).click();
  await page.getByText('予定を保存しました。').waitFor();
  const row = page.getByRole('row', { name: /機器の交換/ });
  await row.getByText('予定', { exact: true }).waitFor();
  await audit(page, 'planned maintenance');
  await shot(page, 'maintenance');

  await row.getByRole('button', { name: '変える' }).click();
  await page.locator('#note').fill('機器の交換と点検');
  await page.getByRole('button', { name: '変更する' }).click();
  const changed = page.getByRole('row', { name: /機器の交換と点検/ });
  await changed.waitFor();

  const visitor = await newPage(browser);
  await announced(visitor, '機器の交換と点検');
  await audit(visitor, 'sign-in with maintenance announced');
  await close(visitor);

  await changed.getByRole('button', { name: '中止する' }).click();
  await changed.getByRole('status').getByText('もう一度押すと実行します').waitFor();
  await changed.getByRole('button', { name: '中止する' }).click();
  await changed.getByText('中止', { exact: true }).waitFor();
  await close(page);
});

test('while it runs users see until when, and come back by themselves', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor);
  const to = new Date((await copyNowMs()) + 3600_000).toISOString();
  const window = (await mamisctl('maintenance', 'plan', '--from', 'now', '--to', to, '--note', '緊急の保守')).trim();
  try {
    const visitor = await newPage(browser);
    await visitor.goto('/login');
    await visitor.getByText('緊急の保守').waitFor();
    await visitor.getByText('ただいまメンテナンス中です').waitFor();
    await audit(visitor, 'sign-in during maintenance');
    const answer = await visitor.goto('/me');
    assert.equal(answer.status(), 503);
    await visitor.getByRole('heading', { name: 'ただいまメンテナンス中です' }).waitFor();
    await close(visitor);

    await page.reload();
    await page.getByRole('heading', { name: 'ただいまメンテナンス中です' }).waitFor();
    await page.getByText(/までご利用いただけません/).waitFor();
    await audit(page, 'maintenance');
    await shot(page, 'maintenance-now');
  } finally {
    await mamisctl('maintenance', 'end', window);
  }
  await over();
  await page.getByRole('button', { name: 'もう一度読み込む' }).click();
  await page.getByRole('heading', { name: 'マイページ' }).waitFor();
  await close(page);
});
