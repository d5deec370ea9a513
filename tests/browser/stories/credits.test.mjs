// A doctor's credits: filters and sums, new ones appear by themselves, a transcript that anybody can
// check.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, signIn } from '../lib/browser.mjs';
import { baseUrl, demo, newDoctor, newSeminar } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Attendance by the organiser's program; the credits are there when it is done. */
async function attend(doctor, seminar) {
  const headers = { Authorization: `Bearer ${demo.organiser_token}`, 'Content-Type': 'application/json' };
  const sent = await fetch(`${baseUrl}/api/v1/seminars/${seminar.seminar_no}/attendance`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ rows: [{ register_no: doctor.register_no }] }),
  });
  assert.equal(sent.status, 202);
  const { upload_id } = await sent.json();
  const stream = await fetch(`${baseUrl}/api/v1/uploads/${upload_id}/events`, { headers });
  assert.match(await stream.text(), /event: done/);
}

const seminarOn = (day, title, offers) =>
  newSeminar({ title, offers, starts_at: `${day} 13:00`, ends_at: `${day} 15:00` });

test('filters, sums by kind and year, a transcript and its check', async () => {
  const doctor = await newDoctor({ name: '試験　花子' });
  await attend(doctor, await seminarOn('2025-06-14', '春の産業医研修会', 'OPL-S:2;CME-007:1.5'));
  await attend(doctor, await seminarOn('2026-05-16', '職場の実地研修', 'OPL-J:1'));
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/credits');
  await page.getByRole('heading', { name: '制度・種別ごとの合計' }).waitFor();
  await audit(page, 'credits with a list');
  const years = page.getByRole('table', { name: /年度/ });
  for (const [name, units] of [
    [/^2026年度/, '1'],
    [/^2025年度/, '2'],
  ])
    assert.equal(await years.getByRole('row', { name }).getByRole('cell').first().innerText(), units);

  const list = page.getByRole('table', { name: '単位の一覧' });
  const rows = list.locator('tbody tr');
  const shows = async (count) => {
    await page.waitForFunction((wanted) => document.querySelectorAll('section[aria-labelledby=list] tbody tr').length === wanted, count);
    assert.equal(await rows.count(), count);
  };
  await shows(3);
  const filter = page.getByRole('search', { name: '絞り込み' });
  const search = () => filter.getByRole('button', { name: '検索する' }).click();
  await filter.getByLabel('年度').selectOption('2025');
  await search();
  await shows(2);
  await filter.getByLabel('単位種別').selectOption('OPL-S');
  await search();
  await shows(1);
  assert.match(page.url(), /kind=OPL-S/);
  assert.equal(await page.getByRole('heading', { level: 3, name: '日医生涯教育制度' }).count(), 0);
  await audit(page, 'credits with a filter');
  await filter.getByRole('button', { name: '条件を消す' }).click();
  await shows(3);
  await filter.getByLabel('研修会の名称・番号').fill('実地');
  await search();
  await shows(1);
  await filter.getByRole('button', { name: '条件を消す' }).click();
  await shows(3);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: '証明書（PDF）' }).click(),
  ]);
  const code = /^transcript-([0-9A-Z-]{19})\.pdf$/.exec(download.suggestedFilename())?.[1];
  assert.ok(code, download.suggestedFilename());
  assert.equal((await readFile(await download.path())).subarray(0, 5).toString(), '%PDF-');
  await close(page);

  const public_ = await newPage(browser);
  await public_.goto('/verify');
  await audit(public_, 'verify');
  await public_.getByLabel('確認コード').fill(code.toLowerCase().replaceAll('-', ' '));
  await public_.getByRole('button', { name: '確かめる' }).click();
  await public_.getByText('このシステムが発行した証明書です').waitFor();
  await public_.getByText('試＊　花＊').waitFor();
  assert.ok(!(await public_.locator('main').innerText()).includes('試験'));
  await audit(public_, 'verify: genuine');
  const wrong = (code[0] === 'A' ? 'B' : 'A') + code.slice(1);
  await public_.getByLabel('確認コード').fill(wrong);
  await public_.getByRole('button', { name: '確かめる' }).click();
  await public_.getByText('確認コードに誤りがあります').waitFor();
  await audit(public_, 'verify: mistyped');
  await public_.goto('/login');
  await public_.goto(`/verify#${code}`); // the printed code's address
  await public_.getByText('このシステムが発行した証明書です').waitFor();
  await close(public_);
});

test('new credits appear on the open page', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/credits');
  await settled(page);
  await page.getByText('この条件の単位はありません。').waitFor();
  await page.evaluate(() => (window.sameDocument = true));
  await attend(doctor, seminar);
  await page.getByText(seminar.title).first().waitFor();
  await page.getByText('単位が更新されました。').waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => window.sameDocument), true, 'without loading the page again');
  await audit(page, 'credits after news');
  await close(page);
});
