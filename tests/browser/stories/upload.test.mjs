// An organiser sends attendance: by keyboard, with live progress; every bad row says what to do;
// what was posted stands on the doctor's page.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, signIn, tabTo } from '../lib/browser.mjs';
import { demo, newDoctor, newSeminar } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const file = (name, text) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
const tile = (page, name) => page.getByRole('button', { name: new RegExp(`^${name}`) });

async function choose(page, seminar, given) {
  await page.goto(`/seminars/${seminar.seminar_no}`);
  await settled(page);
  await page.locator('#file').setInputFiles(given);
}

/** Sends what was chosen, waits for the end, checks that the end was said aloud. */
async function send(page) {
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.waitForURL('**/uploads/*');
  await page.getByText('行ごとの', { exact: false }).or(page.locator('#rows')).or(page.locator('.notice.bad')).first().waitFor();
}

test('good rows post, bad rows are explained, the doctor sees the credits', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const text = [
    '医籍登録番号,氏名カナ,単位数,備考',
    `${doctor.register_no},シケン　ハナコ,,よし`,
    `${doctor.register_no},シケン　ハナコ,,もう一度`,
    '3.62E+05,シケン　ハナコ,,表計算の傷',
    '6999999,ダレカ　サン,,いない人',
    `${doctor.register_no},サトウ　ケンイチ,9,二つの誤り`,
  ].join('\r\n');
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser);
  await page.waitForURL('**/seminars');
  await page.getByLabel(/研修会番号または/).fill(seminar.seminar_no);
  await page.getByRole('button', { name: '検索する' }).click();
  await page.getByRole('link', { name: seminar.title }).click();
  await page.waitForURL(`**/seminars/${seminar.seminar_no}`);
  await audit(page, 'seminar');

  // By keyboard: to the file field, the file chosen, on to the button, Enter.
  await page.getByRole('heading', { name: '出席者名簿を送る' }).waitFor();
  await tabTo(page, page.locator('#file'));
  await page.locator('#file').setInputFiles(file('出席者 名簿(1).csv', text));
  await page.getByText('選んだファイル: 出席者 名簿(1).csv').waitFor();
  await tabTo(page, page.getByRole('button', { name: '名簿を送信する' }));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/uploads/*');
  await page.getByRole('heading', { level: 1, name: '出席者 名簿(1).csv' }).waitFor();
  await tile(page, '要修正').waitFor();
  await page.locator('p.sr', { hasText: '完了しました。' }).waitFor({ state: 'attached' });

  assert.match(await tile(page, '計上\\s').innerText(), /1$/);
  assert.match(await tile(page, '要修正').innerText(), /1$/);
  assert.match(await tile(page, '医師不明').innerText(), /2$/);
  const rejected = page.getByRole('row').filter({ hasText: '3.62E+05' });
  await rejected.getByText('ファイルの4行目').waitFor();
  await rejected.getByText('「医籍登録番号」の値').waitFor();
  await rejected.getByText('直し方:').waitFor();
  await page.getByText('備考').waitFor();
  await audit(page, 'upload');

  await tile(page, '医師不明').click();
  const two = page.getByRole('row').filter({ hasText: 'サトウ　ケンイチ' });
  await two.getByText('カナ氏名が登録と違います').waitFor();
  assert.equal(await two.getByRole('listitem').count(), 2, 'both problems of the row');
  await tile(page, '計上済み').click();
  await page.getByText('同じ行があります', { exact: false }).first().waitFor();

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /直す行だけ/ }).click(),
  ]);
  const fix = await readFile(await download.path(), 'utf8');
  assert.match(fix, /^\ufeff医籍登録番号,氏名カナ,単位数,備考,結果,理由,説明,直し方\r\n/);
  assert.equal(fix.trim().split('\r\n').length, 4, 'header and three rows to correct');
  await close(page);

  const own = await newPage(browser);
  await signIn(own, doctor);
  await own.getByRole('link', { name: '単位', exact: true }).click();
  await own.waitForURL('**/me/credits');
  await own.getByRole('row').filter({ hasText: seminar.title }).first().waitFor();
  await own.getByRole('row').filter({ hasText: '1.5単位' }).waitFor();
  await own.getByLabel('制度', { exact: true }).selectOption('OP');
  await own.getByRole('button', { name: '検索する' }).click();
  await own.getByRole('row').filter({ hasText: '1.5単位' }).waitFor({ state: 'detached' });
  assert.match(own.url(), /programme=OP/);
  await own.getByRole('row').filter({ hasText: '2単位' }).waitFor();
  await audit(own, 'credits');
  await close(own);
});

test('the same file again changes nothing; a corrected file posts the rest', async () => {
  const [one, two] = await Promise.all([newDoctor(), newDoctor()]);
  const seminar = await newSeminar();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser);
  const first = `register_no\n${one.register_no}\nx${two.register_no}\n`;
  for (const posted of [/1$/, /0$/]) {
    await choose(page, seminar, file('same.csv', first));
    await send(page);
    await tile(page, '要修正').waitFor();
    assert.match(await tile(page, '計上\\s').innerText(), posted);
  }
  await choose(page, seminar, file('corrected.csv', `register_no\n${two.register_no}\n`));
  await send(page);
  await page.getByText('直す必要のある行はありません。').waitFor();
  await page.goto(`/seminars/${seminar.seminar_no}`);
  await page.getByRole('link', { name: /\.csv$/ }).nth(2).waitFor();
  await close(page);
});

test('what cannot be read is refused with the way out', async () => {
  const seminar = await newSeminar();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser);
  await choose(page, seminar, file('book.csv', '%PDF-1.4 not a text'));
  await send(page);
  await page.getByText('CSVファイルではありません').waitFor();
  await page.getByText('何も登録していません', { exact: false }).waitFor();
  await audit(page, 'refused upload');
  await page.getByRole('link', { name: '直した名簿を送る' }).click();
  await page.waitForURL(`**/seminars/${seminar.seminar_no}`);

  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.getByText('ファイルを選んでください。').waitFor();
  await page.locator('#file').setInputFiles(file('empty.csv', ''));
  await page.getByText('ファイルが空です', { exact: false }).waitFor();
  await close(page);
});

test('a file can be dropped, and progress is shown while it runs', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser, `/seminars/${seminar.seminar_no}`);
  await settled(page);
  const rows = Array.from({ length: 20_000 }, (_, at) => String(1_000_000 + at));
  const dropped = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], 'dropped.csv', { type: 'text/csv' }));
    return transfer;
  }, `医籍登録番号\n${doctor.register_no}\n${rows.join('\n')}\n`);
  await page.locator('.drop').dispatchEvent('drop', { dataTransfer: dropped });
  await page.getByText('選んだファイル: dropped.csv').waitFor();
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.waitForURL('**/uploads/*');
  await page.getByRole('progressbar', { name: '処理の進み具合' }).waitFor();
  await audit(page, 'upload under way');
  await tile(page, '計上\\s').waitFor({ timeout: 60_000 });
  assert.match(await tile(page, '計上\\s').innerText(), /1$/);
  await page.getByRole('button', { name: 'さらに表示する' }).click();
  await page.getByText('200件を表示', { exact: false }).waitFor();
  await page.getByText('20,000行: 該当する医師がいません').waitFor();
  await close(page);
});
