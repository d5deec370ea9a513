import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { columnName, readHeader } from './columns';
import { parseCsv, writeCsv } from './csv';
import { encodingOf, examine, UnreadableFile } from './preview';
import { templateCsv, templateXlsx } from './template';
import { dateText, numberText, readWorkbook } from './xlsx';

const fileOf = (name: string, ...parts: BlobPart[]): File => new File(parts, name);
const workbook = async (): Promise<File> => fileOf('名簿.xlsx', await readFile('../../tests/data/workbook.xlsx'));
const CP932 = Uint8Array.from([0x88, 0xe3, 0x90, 0xd0, 0x94, 0xd4, 0x8d, 0x86]); // 医籍番号

const seminar = (sessions: number) =>
  ({
    seminar_no: 'S2026-0001',
    title: '見本',
    sessions: Array.from({ length: sessions }, (_, at) => ({ session_no: String(at + 1) })),
  }) as unknown as Parameters<typeof templateCsv>[0];

test('columns are found by name, alias, width, case and blanks', () => {
  const { columns, fault } = readHeader(['医籍番号', ' ＭＡＭＩＳ 番号', 'Entered_At', 'ﾌﾘｶﾞﾅ', '備考', ''], false);
  assert.deepEqual(columns, ['register_no', 'mamis_no', 'entered_at', 'name_kana', null, null]);
  assert.equal(fault, null);
  assert.equal(columnName('session_no'), 'セッション番号');
});

test('what the server would refuse is told before', () => {
  assert.equal(readHeader(['名簿', ''], false).fault, 'header_missing');
  assert.deepEqual(readHeader(['氏名', 'フリガナ'], false).about, 'register_no');
  assert.equal(readHeader(['医籍番号'], true).about, 'session_no');
  assert.equal(readHeader(['医籍番号'], false).fault, null);
  assert.deepEqual(readHeader(['医籍番号', '回', '医籍登録番号'], true).fault, 'column_twice');
  assert.equal(readHeader(['医籍番号', ...Array<string>(64).fill('x')], false).fault, 'too_many_columns');
});

test('csv: quotes, breaks, what is cut off', () => {
  assert.deepEqual(parseCsv('a,"b ""x""\r\ny",c\r\nd', ',', 9, true), [['a', 'b "x"\r\ny', 'c'], ['d']]);
  assert.deepEqual(parseCsv('a,b\nc,d', ',', 9, false), [['a', 'b']]);
  assert.deepEqual(parseCsv('a\rb', ',', 1, true), [['a']]);
  assert.equal(writeCsv([['a', 'b,"'], ['', ' '], [' c', 'd']]), 'a,"b,"""\r\n\r\n" c",d\r\n');
});

test('the encoding is that of the first line with a byte above 7F', () => {
  const utf8 = new TextEncoder().encode('register_no,備考\r\n');
  assert.equal(encodingOf(utf8), 'utf-8');
  assert.equal(encodingOf(CP932), 'cp932');
  assert.equal(encodingOf(Uint8Array.from([0x61, 0x0a, ...CP932, 0x0a, ...utf8])), 'cp932');
  assert.equal(encodingOf(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61])), 'utf-8');
});

test('a csv file is sent as it is, and previewed', async () => {
  const file = fileOf('a.csv', '\r\n', CP932, ';b\r\n1;2\r\n;\r\n3;4\r\n');
  const { file: sent, preview } = await examine(file, false);
  assert.equal(sent, file);
  assert.equal(preview?.encoding, 'cp932');
  assert.deepEqual(preview?.header.names, ['医籍番号', 'b']);
  assert.deepEqual(preview?.rows, [['1', '2'], ['3', '4']]);
  for (const other of [fileOf('a.csv', '\0a'), fileOf('a.pdf', '%PDF-1.4'), fileOf('a.csv', '\n\n'), fileOf('a.json', '{}')])
    assert.equal((await examine(other, false)).preview, null);
});

test('a workbook becomes the file that formats.md wants', async () => {
  const { file, preview } = await examine(await workbook(), false);
  assert.equal(file.name, '名簿.csv');
  const lines = (await file.text()).split('\r\n');
  assert.deepEqual(lines, [
    '',
    '',
    '研修会番号,回,医籍登録番号,MAMIS番号,フリガナ,氏名,受付時刻,退室時刻,出欠,備考,日付',
    'S2026-0001,1,384411,6423876638,ミホン　イチロウ,見本　一郎,13:05,15:00,○,1行目 2行目,2026-11-21',
    'S2026-0001,1,０３８４４１２,,ミホン　タロウ,見本　太郎,2026-11-21 13:01,2026-11-21 15:00,○,0.000000123,2026-11-21',
    '',
    'S2026-0001,1,384413,,ﾐﾎﾝ ﾊﾅｺ,見本　花子,13:00:01,,TRUE,ab,',
    '',
  ]);
  assert.equal(preview?.rowsTotal, 3);
  assert.equal(preview?.dropped, 1);
  assert.equal(preview?.header.fault, null);
  assert.deepEqual(preview?.header.columns.slice(-2), [null, null]);
});

test('numbers and days of a workbook', () => {
  assert.equal(numberText(0.1 + 0.2), '0.3');
  assert.equal(numberText(1e21), '1000000000000000000000');
  assert.equal(numberText(-1.5), '-1.5');
  const at = (text: string) => new Date(`${text}Z`);
  assert.equal(dateText(at('2026-11-21T00:00:00'), null), '2026-11-21');
  assert.equal(dateText(at('2026-11-21T00:00:00'), 'left_at'), '2026-11-21 00:00');
  assert.equal(dateText(at('2026-11-21T23:59:30'), 'entered_at'), '2026-11-22 00:00');
  assert.equal(dateText(at('2026-11-21T14:59:59'), 'left_at'), '2026-11-21 14:59');
  assert.equal(dateText(at('2026-11-21T13:09:59.9995'), 'entered_at'), '2026-11-21 13:10');
  assert.equal(dateText(at('1904-01-01T09:00:00'), 'entered_at'), '09:00');
});

test('what is no workbook is told', async () => {
  const why = async (file: File): Promise<string> =>
    examine(file, false).then(() => 'read', (cause: UnreadableFile) => cause.why);
  const old = Uint8Array.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1]);
  assert.equal(await why(fileOf('a.xls', old)), 'xls');
  assert.equal(await why(fileOf('locked.XLSX', old)), 'xlsx_broken');
  assert.equal(await why(fileOf('a.xlsx', 'PK\x03\x04 and no more')), 'xlsx_broken');
  const whole = new Uint8Array(await (await workbook()).arrayBuffer());
  assert.equal(await why(fileOf('a.xlsx', whole.subarray(0, whole.length / 2))), 'xlsx_broken');
  const large = fileOf('a.xlsx', 'PK\x03\x04', new Uint8Array(16 * 1024 * 1024));
  assert.equal(await why(large), 'xlsx_large');
});

test('templates have the columns of the seminar, and come back as they went out', async () => {
  const marked = new Uint8Array(await templateCsv(seminar(1)).arrayBuffer());
  assert.deepEqual([...marked.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const header = '研修会番号,医籍登録番号,MAMIS番号,氏名カナ,氏名,入室時刻,退室時刻,出欠\r\n';
  assert.equal(await templateCsv(seminar(1)).text(), header);
  const csv = await templateCsv(seminar(2)).text();
  assert.match(csv, /^研修会番号,セッション番号,.*\r\nS2026-0001,1,,.*\r\nS2026-0001,2,,.*\r\n$/);
  const people = [
    { register_no: '012345', name_kana: 'サトウ　ケンイチ', name: '佐藤　健一' },
    { register_no: null, name_kana: 'タカハシ', name: '髙橋' },
  ];
  const filled = await templateCsv(seminar(1), people).text();
  assert.equal(
    filled,
    `${header}S2026-0001,012345,,サトウ　ケンイチ,佐藤　健一,,,\r\nS2026-0001,,,タカハシ,髙橋,,,\r\n`,
  );
  assert.match(await templateCsv(seminar(2), people).text(), /1,012345,[^]*1,,,タカハシ[^]*2,012345,[^]*2,,,タカハシ/);
  for (const [sessions, wanted, some] of [[1, header, []], [2, csv, []], [1, filled, people]] as const) {
    const blob = await templateXlsx(seminar(sessions), ['名簿', '書き方'], [['回', '説明']], [...some]);
    const { file, preview } = await readWorkbook(fileOf('ひな形.xlsx', blob), sessions > 1);
    assert.equal((await file.text()).replace(/(\r\n)+$/, '\r\n'), wanted);
    assert.equal(preview?.header.fault, null);
  }
});
