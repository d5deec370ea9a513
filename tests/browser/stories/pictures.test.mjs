// Pictures for the README, of the sample data: only where MAMIS_SHOTS_DIR says where they go.
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { apiAs, demo, newDoctor, newSession, today } from '../lib/stack.mjs';

const skip = !process.env.MAMIS_SHOTS_DIR;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const sample = new URL('../../data/attendance/11-many-errors.csv', import.meta.url);

const SHARP = { deviceScaleFactor: 1.2 };
const CROWD = 400;
const high = (height) => ({ width: 1100, height });

test('My Page', { skip }, async () => {
  const page = await newPage(browser, SHARP);
  await signIn(page, demo.accounts.doctor, '/me');
  await settled(page);
  await shot(page, 'my-page', high(860));
  await close(page);
});

test('an upload with rows to correct, and one of them being mended', { skip }, async () => {
  const page = await newPage(browser, SHARP);
  await signIn(page, demo.accounts.organiser, `/seminars/${demo.sample.seminar_no}`);
  await settled(page);
  const buffer = await readFile(sample);
  await page.locator('#file').setInputFiles({ name: '出席者名簿.csv', mimeType: 'text/csv', buffer });
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.locator('#rows').waitFor();
  await settled(page);
  await shot(page, 'upload', high(960));
  await page.goto(`${page.url().split('?')[0]}?outcome=rejected&reason=register_no_format`);
  await settled(page);
  await page.locator('#rows').scrollIntoViewIfNeeded();
  await page.getByRole('button', { name: '2番目の行を直す' }).click();
  await page.getByLabel('医籍登録番号', { exact: true }).fill('429003');
  await shot(page, 'mend');
  await close(page);
});

test('whether a transcript is genuine', { skip }, async () => {
  const page = await newPage(browser, SHARP);
  await signIn(page, demo.accounts.doctor, '/me/credits');
  await settled(page);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: '証明書（PDF）' }).click(),
  ]);
  const code = /transcript-(.+)\.pdf/.exec(file.suggestedFilename())[1];
  await page.goto(`/verify#${code}`);
  await page.getByText('このシステムが発行した証明書です').waitFor();
  await shot(page, 'verify', high(1000));
  await close(page);
});

test('an application for membership, for the doctor and on the desk of an office', { skip }, async () => {
  const doctors = [];
  for (const name of ['見本　一郎', '見本　二郎', '見本　三郎']) {
    const doctor = await newDoctor({ name, name_kana: 'ミホン　タロウ', l1_code: '', l2_code: '', l3_category: '' });
    await (await apiAs(doctor))('POST', '/me/procedures', { kind: 'admission', depth: 2, l1_code: '13001', effective_on: await today() });
    doctors.push(doctor);
  }
  const desk = await newPage(browser, SHARP);
  await signIn(desk, demo.accounts.office_l1, '/procedures');
  await settled(desk);
  await shot(desk, 'desk');
  const { items } = await (await apiAs(doctors[0]))('GET', '/me/procedures');
  await (await apiAs(demo.accounts.office_l1))('POST', `/procedures/${items[0].procedure_id}/approve`, {});
  const page = await newPage(browser, SHARP);
  await signIn(page, doctors[0], `/me/procedures/${items[0].procedure_id}`);
  await settled(page);
  await shot(page, 'procedure', high(860));
  await close(page, desk);
});

test('more people sign in than hashing can serve', { skip }, async () => {
  const page = await newPage(browser, SHARP);
  await page.goto('/login');
  await page.getByLabel('ログインID').fill(demo.accounts.doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(demo.accounts.doctor.password);
  const crowd = Array.from({ length: CROWD }, () => newSession(demo.accounts.doctor).catch(() => undefined));
  await page.getByRole('button', { name: 'ログインする' }).click();
  await page.getByText(/あなたの順番: \d+番目/).waitFor();
  await shot(page, 'queue');
  await Promise.all(crowd);
  await page.waitForURL('**/me');
  await close(page);
});
