// An organiser's ways in: a workbook, a look before sending, the template, a few lines by hand; and
// afterwards problems by group, and rows found.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn, tabTo } from '../lib/browser.mjs';
import { demo, newDoctor, newSeminar, today } from '../lib/stack.mjs';

const fromPortal = createRequire(new URL('../../../services/portal/package.json', import.meta.url));
const { default: writeXlsxFile } = await import(pathToFileURL(fromPortal.resolve('write-excel-file/node')));
const WORKBOOK = fileURLToPath(new URL('../../data/workbook.xlsx', import.meta.url));
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const file = (name, text) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
const workbook = async (name, rows) => ({ name, mimeType: XLSX, buffer: await writeXlsxFile(rows).toBuffer() });
const tile = (page, name) => page.getByRole('button', { name: new RegExp(`^${name}`) });

async function organiserAt(seminar) {
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser, `/seminars/${seminar.seminar_no}`);
  await settled(page);
  return page;
}

async function send(page) {
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.waitForURL('**/uploads/*');
  await page.locator('#rows').or(page.locator('.notice.bad')).first().waitFor();
}

async function resultText(page) {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /結果をすべて/ }).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

test('a workbook is looked at, turned into CSV here, and posts', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const day = await today(-1);
  const at = (time) => ({ value: new Date(`${day}T${time}:00Z`), type: Date, format: 'yyyy/m/d h:mm' });
  const page = await organiserAt(seminar);
  await page.locator('#file').setInputFiles(
    await workbook('出席者.xlsx', [
      ['令和8年度 研修会 出席者', null, null, null, null],
      ['医籍番号', 'フリガナ', '受付時刻', '退室時刻', '所属'].map((value) => ({ value, fontWeight: 'bold' })),
      [Number(doctor.register_no), 'シケン　ハナコ', at('12:55'), at('15:00'), '見本病院'],
      [6999999, 'ダレカ　サン', at('12:55'), at('15:00'), '見本医院'],
    ]),
  );
  const look = page.getByRole('region', { name: '送る前の確認' });
  await look.getByText('医籍番号（→ 医籍登録番号）', { exact: false }).waitFor();
  await look.getByText('見出しより上の1行').waitFor();
  await look.getByRole('cell', { name: `${day} 12:55` }).first().waitFor();
  await look.getByRole('columnheader', { name: /所属.*使わない/s }).waitFor();
  await look.getByText('2行', { exact: true }).waitFor();
  await audit(page, 'workbook chosen');
  await page.locator('#look').scrollIntoViewIfNeeded();
  await shot(page, 'workbook');
  await send(page);
  await page.getByRole('heading', { level: 1, name: '出席者.csv' }).waitFor();
  assert.match(await tile(page, '計上\\s').innerText(), /1$/);
  assert.match(await tile(page, '医師不明').innerText(), /1$/);
  await page.getByText('ファイルの4行目').waitFor();
  await close(page);
});

test('a workbook as a spreadsheet program writes it; a large one too', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const page = await organiserAt(seminar);
  await page.locator('#file').setInputFiles(WORKBOOK);
  for (const text of ['13:00:01', '1行目 2行目', '6423876638', '0.000000123'])
    await page.getByRole('cell', { name: text, exact: true }).waitFor();
  await send(page);
  const lines = (await resultText(page)).split('\r\n');
  assert.match(lines[0], /^\ufeff研修会番号,回,医籍登録番号,MAMIS番号,フリガナ,氏名,受付時刻,退室時刻,出欠,備考,日付,結果/);
  assert.match(lines[1], /^S2026-0001,1,384411,6423876638,ミホン　イチロウ,見本　一郎,13:05,15:00,○,1行目 2行目,2026-11-21,/);

  // Large enough that the library would rather unpack it in a worker, which the policy refuses.
  await page.goto(`/seminars/${seminar.seminar_no}`);
  const rows = Array.from({ length: 9000 }, (_, row) => [1_000_000 + row, `行 ${row}`]);
  await page.locator('#file').setInputFiles(
    await workbook('large.xlsx', [['医籍登録番号', '備考'], [Number(doctor.register_no), 'よし'], ...rows]),
  );
  await page.getByText('9,001行').waitFor({ timeout: 60_000 });
  await send(page);
  await tile(page, '計上\\s').waitFor({ timeout: 60_000 });
  assert.match(await tile(page, '計上\\s').innerText(), /1$/);
  await close(page);
});

test('what is wrong with a file is told before it is sent', async () => {
  const seminar = await newSeminar();
  const page = await organiserAt(seminar);
  const choose = (given) => page.locator('#file').setInputFiles(given);
  await choose({ name: 'old.xls', mimeType: 'application/vnd.ms-excel', buffer: Buffer.from('d0cf11e0a1b11ae1', 'hex') });
  await page.getByText('古い形式のExcelファイル（.xls）は読めません').waitFor();
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await choose(file('book.csv', 'PK\x03\x04 not a workbook'));
  await page.getByText('Excelファイルとして読めません').waitFor();
  assert.equal(await page.getByText('古い形式').count(), 0);
  await choose(file('none.csv', '氏名,フリガナ\r\n見本,ミホン\r\n'));
  await page.getByText('「医籍登録番号」の列がありません', { exact: false }).waitFor();
  await audit(page, 'column missing');
  const cp932 = Buffer.concat([Buffer.from([0x88, 0xe3, 0x90, 0xd0, 0x94, 0xd4, 0x8d, 0x86]), Buffer.from(';x\r\n123;y\r\n')]);
  await choose({ name: 'sjis.csv', mimeType: 'text/csv', buffer: cp932 });
  await page.getByText('CP932（Shift_JIS）', { exact: true }).waitFor();
  await page.getByRole('columnheader', { name: '医籍番号' }).waitFor();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByText('Columns used').waitFor();
  await page.getByRole('button', { name: '日本語' }).click();
  await close(page);
});

test('the template comes down, and is recognised when it comes back', async () => {
  const seminar = await newSeminar();
  const page = await organiserAt(seminar);
  for (const [name, kind] of [['ひな形（CSV）', 'csv'], ['ひな形（Excel）', 'xlsx']]) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `出席者名簿_${seminar.seminar_no}.${kind}`);
    const bytes = await readFile(await download.path());
    if (kind === 'csv') assert.match(bytes.toString('utf8'), /^\ufeff研修会番号,医籍登録番号,MAMIS番号,/);
    await page.locator('#file').setInputFiles({ name: download.suggestedFilename(), mimeType: '', buffer: bytes });
    const look = page.getByRole('region', { name: '送る前の確認' });
    await look.getByText('研修会番号、医籍登録番号、MAMIS番号、氏名カナ、氏名、入室時刻、退室時刻、出欠').waitFor();
    await look.getByText('見出しの下に行がありません。').waitFor();
    assert.equal(await page.locator('.notice').count(), 0);
  }
  await close(page);
});

test('a few lines by hand: by keyboard, wrong lines told at their place, the rest sent again', async () => {
  const [one, two] = await Promise.all([newDoctor(), newDoctor()]);
  const seminar = await newSeminar();
  const page = await organiserAt(seminar);
  const cell = (line, column) => page.getByRole('textbox', { name: `${line}行目 ${column}` });
  await tabTo(page, page.locator('summary', { hasText: '数人だけなら' }));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: '入力した行を送る' }).click();
  await page.getByText('送る行がありません', { exact: false }).waitFor();

  await cell(1, '医籍登録番号').focus();
  await page.keyboard.type(one.register_no);
  await page.keyboard.press('Enter');
  await page.keyboard.type('3.62E+05');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter'); // leaves the third empty, adds a fourth
  await page.keyboard.type(two.register_no);
  await cell(4, '氏名カナ').fill('ベツノ　ヒト');
  await page.getByRole('button', { name: '行を足す' }).click();
  assert.ok(await cell(5, '医籍登録番号').evaluate((element) => element === document.activeElement), 'the new line has the focus');
  await page.getByRole('button', { name: '5行目を消す' }).press('Enter');
  await cell(5, '医籍登録番号').waitFor({ state: 'detached' });
  await tabTo(page, page.getByRole('button', { name: '入力した行を送る' }));
  await page.keyboard.press('Enter');
  await page.getByText('1行が済み、2行を直す必要があります。').waitFor();
  const row = (n) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: String(n), exact: true }) });
  await row(1).getByText('計上', { exact: true }).waitFor();
  await row(2).getByText('要修正').waitFor();
  await row(4).getByText('医師不明').waitFor();
  assert.equal(await cell(2, '医籍登録番号').getAttribute('aria-invalid'), 'true');
  assert.equal(await cell(1, '医籍登録番号').getAttribute('readonly'), '');
  assert.match(await page.locator(`#${await cell(2, '医籍登録番号').getAttribute('aria-describedby')}`).innerText(), /3\.62E\+05[\s\S]*直し方/);
  await audit(page, 'lines judged');
  await page.getByText('1行が済み').scrollIntoViewIfNeeded();
  await shot(page, 'by-hand');

  await cell(2, '医籍登録番号').fill('');
  await cell(4, '氏名カナ').fill('シケン　ハナコ');
  await page.getByRole('button', { name: '残りの行を送る' }).click();
  await page.getByText('2行すべて済みました。').waitFor();
  await row(4).getByText('計上', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'この送信の記録を見る' }).click();
  await page.waitForURL('**/uploads/*');
  await page.getByRole('heading', { level: 1, name: /^手入力_\d{6}\.csv$/ }).waitFor();
  await page.getByText('直す必要のある行はありません。').waitFor();
  await close(page);
});

test('cells copied from a spreadsheet are pasted as lines', async () => {
  const seminar = await newSeminar();
  const page = await organiserAt(seminar);
  await page.locator('summary', { hasText: '数人だけなら' }).click();
  const first = page.getByRole('textbox', { name: '1行目 医籍登録番号' });
  await first.waitFor();
  await first.evaluate((element) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text', '6999990\t\tミホン　イチ\r\n6999991\t\tミホン　ニ\r\n6999992\r\n6999993\r\n');
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  assert.equal(await page.getByRole('textbox', { name: '4行目 医籍登録番号' }).inputValue(), '6999993');
  assert.equal(await page.getByRole('textbox', { name: '2行目 氏名カナ' }).inputValue(), 'ミホン　ニ');
  await page.getByRole('button', { name: '入力した行を送る' }).click();
  await page.getByText('0行が済み、4行を直す必要があります。').waitFor();
  await close(page);
});

test('the session is chosen where a seminar has several; times can be entered', async () => {
  const seminar = await newSeminar();
  const page = await organiserAt({ seminar_no: demo.sample.seminar_no });
  await page.locator('summary', { hasText: '数人だけなら' }).click();
  const several = (await page.getByRole('combobox', { name: '1行目 セッション番号' }).count()) > 0;
  const sessions = await page.getByRole('rowheader', { name: /^第.+回/ }).count();
  assert.equal(several, sessions > 1);
  await page.goto(`/seminars/${seminar.seminar_no}`);
  await page.locator('summary', { hasText: '数人だけなら' }).click();
  await page.getByLabel('入退室の時刻も入力する').check();
  await page.getByRole('textbox', { name: '1行目 医籍登録番号' }).fill('6999998');
  await page.getByRole('textbox', { name: '1行目 入室時刻' }).fill('13:05');
  await page.getByRole('button', { name: '入力した行を送る' }).click();
  await page.getByText('0行が済み、1行を直す必要があります。').waitFor();
  await page.getByText('登録されていない', { exact: false }).or(page.getByText('直し方').first()).first().waitFor();
  await audit(page, 'lines with times');
  await close(page);
});

test('one kind of several, its units and absence are entered and checked as in a file', async () => {
  const [one, two, three] = await Promise.all([newDoctor(), newDoctor(), newDoctor()]);
  const seminar = await newSeminar();
  const page = await organiserAt(seminar);
  const text = (line, column) => page.getByRole('textbox', { name: `${line}行目 ${column}` });
  const choice = (line, column) => page.getByRole('combobox', { name: `${line}行目 ${column}` });
  await page.locator('summary', { hasText: '数人だけなら' }).click();
  await page.getByLabel('単位種別・単位数・出欠も入力する').check();
  for (const [at, doctor] of [one, two, three].entries()) await text(at + 1, '医籍登録番号').fill(doctor.register_no);
  for (const line of [1, 2]) await choice(line, '単位種別').selectOption('OPL-S');
  await text(2, '単位数').fill('3');
  await choice(3, '出欠').selectOption('欠席');
  await page.getByRole('button', { name: '入力した行を送る' }).click();
  await page.getByText('2行が済み、1行を直す必要があります。').waitFor();
  assert.equal(await text(2, '単位数').getAttribute('aria-invalid'), 'true');
  await audit(page, 'lines with kinds');
  await text(2, '単位数').fill('2');
  await page.getByRole('button', { name: '残りの行を送る' }).click();
  await page.getByText('3行すべて済みました。').waitFor();
  await page.getByRole('link', { name: 'この送信の記録を見る' }).click();
  await page.waitForURL('**/uploads/*');
  await close(page);

  const own = await newPage(browser);
  await signIn(own, one, '/me/credits');
  await settled(own);
  const posted = own.getByRole('row').filter({ hasText: seminar.seminar_no });
  assert.equal(await posted.count(), 1, 'only the kind that was named');
  assert.match(await posted.innerText(), /産業医/);
  await close(own);
});

test('problems that repeat are told once; a group filters; rows are found', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const bad = Array.from({ length: 150 }, (_, row) => `,ナナシ　ノ　${row}`);
  const unknown = Array.from({ length: 30 }, (_, row) => `${6_800_000 + row},ミシラヌ　ヒト`);
  const text = ['医籍登録番号,氏名カナ', `${doctor.register_no},`, ...bad, ...unknown].join('\r\n');
  const page = await organiserAt(seminar);
  await page.locator('#file').setInputFiles(file('groups.csv', text));
  await send(page);
  const groups = page.getByRole('region', { name: '理由ごとのまとめ' });
  await groups.getByText('150行: 番号がありません').waitFor();
  assert.equal(await groups.getByText('どちらか一方を記入してください', { exact: false }).count(), 1, 'one cure for the group');
  await groups.getByText(/^30行: /).waitFor();
  await audit(page, 'groups');
  await shot(page, 'groups');

  await groups.getByRole('button', { name: /^30行: / }).press('Enter');
  await page.waitForURL(/reason=doctor_unknown/);
  await page.locator('#rows', { hasText: '（30行）' }).waitFor();
  await page.getByText('全30件').waitFor();
  await page.reload();
  await page.getByText('全30件').waitFor();

  await page.getByLabel(/行を探す/).fill('みしらぬ');
  await page.getByRole('button', { name: '検索する' }).click();
  await page.locator('#rows', { hasText: '「みしらぬ」を探した結果' }).waitFor();
  await page.getByText('全30件').waitFor();
  await page.getByLabel(/行を探す/).fill(doctor.register_no);
  await page.getByRole('button', { name: '検索する' }).click();
  await page.getByText('全1件').waitFor();
  await page.getByRole('row').filter({ hasText: doctor.register_no }).getByText('計上', { exact: true }).waitFor();
  await audit(page, 'row found');
  await page.getByRole('button', { name: '絞り込みをやめる' }).click();
  await page.getByText('30件', { exact: false }).first().waitFor();
  assert.doesNotMatch(page.url(), /q=/);
  await close(page);
});

test('too many at once: the waiting time is told, and the choice stays', async () => {
  const seminar = await newSeminar();
  const page = await organiserAt(seminar);
  let refused = 0;
  await page.route('**/attendance', (route) => {
    if (refused++ > 0) return route.continue();
    const problem = { title: '処理の順番を待つ名簿が多すぎます', status: 429, code: 'uploads_too_many', detail: '同じ主催者の名簿が、まだいくつも処理の途中です。', cure: '2秒ほど待ってから、もう一度送ってください。' };
    return route.fulfill({ status: 429, headers: { 'Retry-After': '2', 'Content-Type': 'application/problem+json' }, body: JSON.stringify(problem) });
  });
  await page.locator('#file').setInputFiles(file('later.csv', '医籍登録番号\r\n6999997\r\n'));
  await page.getByText('選んだファイル: later.csv').waitFor();
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.getByText('処理の順番を待つ名簿が多すぎます').waitFor();
  await page.getByText(/あと約\d秒お待ちください。/).waitFor();
  await page.getByText('もう一度送れます。').waitFor();
  await audit(page, 'told to wait');
  await send(page);
  await tile(page, '医師不明').waitFor();
  assert.equal(refused, 2);
  await close(page);
});
