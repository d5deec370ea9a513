// Pictures for the README, of the sample data: only where MAMIS_SHOTS_DIR says where they go.
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { demo } from '../lib/stack.mjs';

const skip = !process.env.MAMIS_SHOTS_DIR;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const sample = new URL('../../data/attendance/11-many-errors.csv', import.meta.url);

test('My Page, on a desk and on a phone', { skip }, async () => {
  const page = await newPage(browser, { viewport: { width: 1100, height: 860 }, deviceScaleFactor: 1.5 });
  await signIn(page, demo.accounts.doctor);
  await page.goto('/me');
  await settled(page);
  await shot(page, 'my-page');
  await page.setViewportSize({ width: 360, height: 740 });
  await shot(page, 'my-page-phone');
  await close(page);
});

test('an upload with rows to correct', { skip }, async () => {
  const page = await newPage(browser, { viewport: { width: 1100, height: 1200 }, deviceScaleFactor: 1.5 });
  await signIn(page, demo.accounts.organiser);
  await page.goto(`/seminars/${demo.sample.seminar_no}`);
  await settled(page);
  const buffer = await readFile(sample);
  await page.locator('#file').setInputFiles({ name: '出席者名簿.csv', mimeType: 'text/csv', buffer });
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.locator('#rows').waitFor();
  await settled(page);
  await shot(page, 'upload');
  await close(page);
});
