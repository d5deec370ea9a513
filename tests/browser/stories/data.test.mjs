// One's own data as a file, a request for correction with its answer, and dates as offices expect them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { demo, mailTo, newDoctor } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

test('the data come as files', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/profile');
  await page.getByRole('link', { name: 'ご自分の情報の書き出し' }).click();
  await page.getByRole('heading', { level: 1, name: 'ご自分の情報の書き出し' }).waitFor();
  await audit(page, 'own data');
  await shot(page, 'own-data');
  for (const [name, file] of [
    ['読むためのファイル（HTML）', 'mamis-export.html'],
    ['プログラムのためのファイル（JSON）', 'mamis-export.json'],
  ]) {
    const coming = page.waitForEvent('download');
    await page.getByRole('link', { name }).click();
    const download = await coming;
    assert.equal(download.suggestedFilename(), file);
    const text = await readFile(await download.path(), 'utf8');
    assert.ok(text.includes(doctor.register_no));
    if (!file.endsWith('.html')) continue;
    // Opened from the disk it is a whole page that reads well.
    const reader = await newPage(browser);
    await reader.setContent(text);
    await audit(reader, 'the data to read');
    await close(reader);
  }
  await close(page);
});

test('a correction is asked for and answered', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/corrections');
  await press(page, '依頼を送る');
  await page.locator('#text-error').waitFor();
  await audit(page, 'corrections with errors');
  await page.getByLabel('訂正する項目').selectOption('licensed_on');
  await page.getByLabel('正しい内容と、わかる資料').fill('平成15年4月3日が正しい日です。');
  await press(page, '依頼を送る');
  await page.getByText('依頼を送りました。', { exact: false }).waitFor();
  await page.getByText('平成15年4月3日が正しい日です。').waitFor();
  await audit(page, 'a correction is asked for');

  const office = await newPage(browser);
  await signIn(office, demo.accounts.office_l3);
  await office.getByRole('link', { name: '訂正の依頼' }).click();
  const card = office.locator('section.card', { hasText: doctor.register_no });
  await card.waitFor();
  await audit(office, 'corrections of an office');
  await card.getByRole('button', { name: `${doctor.name} さんの依頼に返事をする` }).click();
  await press(office, '返事を送る');
  await office.locator('#outcome-error').waitFor();
  await audit(office, 'answering with errors');
  await card.getByLabel('訂正しました').check();
  await card.getByLabel('返事の内容（ご本人が読みます）').fill('医籍を確かめて直しました。');
  await press(office, '返事を送る');
  await office.locator('#licensed_on-error').waitFor();
  await card.getByLabel('正しい医籍登録年月日').fill('平成15年4月3日');
  await audit(office, 'saying what is right');
  await press(office, '返事を送る');
  await card.waitFor({ state: 'detached' });
  await close(office);

  await mailTo(doctor.email, /訂正の依頼に/);
  await page.reload();
  await page.getByText('医籍を確かめて直しました。').waitFor();
  await page.getByText(/から .* に直しました/).waitFor();
  await audit(page, 'an answered correction');
  await close(page);
});

test('offices read dates in the Japanese calendar, or choose the other', async () => {
  const page = await newPage(browser);
  await signIn(page, demo.accounts.office_l3, '/seminars');
  await settled(page);
  await page.getByText(/令和\d+年\d+月\d+日/).first().waitFor();
  await press(page, '西暦で表示');
  await page.getByText(/20\d\d年\d+月\d+日/).first().waitFor();
  assert.equal(await page.getByText(/令和\d+年\d+月/).count(), 0);
  await page.reload();
  await page.getByText(/20\d\d年\d+月\d+日/).first().waitFor();
  await press(page, '和暦で表示');
  await page.getByText(/令和\d+年\d+月\d+日/).first().waitFor();
  await close(page);
  const doctor = await newPage(browser);
  await signIn(doctor, demo.accounts.doctor);
  assert.equal(await doctor.getByRole('button', { name: '西暦で表示' }).count(), 0);
  await close(doctor);
});
