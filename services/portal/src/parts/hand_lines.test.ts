import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JudgedRow } from '../api/send_rows';
import type { Column } from '../sheet/columns';
import { isDone, isEmpty, needsFixing, newLine, pasted, rowsOf, toSend, withOutcomes, type Line } from './hand_lines';

const COLUMNS: Column[] = ['session_no', 'register_no', 'mamis_no', 'name_kana'];
const line = (id: number, cells: Line['cells'] = {}): Line => ({ id, cells, row: null });
const judged = (row_no: number, outcome: JudgedRow['outcome']) => ({ row_no, outcome, problems: [], same_as_row: null }) as unknown as JudgedRow;

test('a line is sent when somebody is named in it', () => {
  const lines = [line(1, { session_no: '2' }), line(2, { register_no: ' ' }), line(3, { session_no: '2', mamis_no: '1' })];
  assert.deepEqual(lines.map((one) => isEmpty(one, COLUMNS)), [true, true, false]);
  assert.deepEqual(toSend(lines, COLUMNS).map((one) => one.id), [3]);
});

test('what stands in a hidden column alone is no row, for the server would skip it', () => {
  const lines = [line(1, { entered_at: '9:00' }), line(2, { register_no: '1', left_at: '12:00' })];
  assert.deepEqual(toSend(lines, COLUMNS).map((one) => one.id), [2]);
  assert.deepEqual(toSend(lines, [...COLUMNS, 'entered_at']).map((one) => one.id), [1, 2]);
});

test('rows have the same columns in the same order', () => {
  assert.deepEqual(rowsOf([line(1, { name_kana: 'ア' }), line(2)], ['register_no', 'name_kana']), [
    { register_no: '', name_kana: 'ア' },
    { register_no: '', name_kana: '' },
  ]);
});

test('an outcome finds its line though lines came and went meanwhile', () => {
  const sent = [line(2, { register_no: '1' }), line(5, { register_no: '2' })];
  const now = [line(5, { register_no: '2' }), line(6)];
  const after = withOutcomes(now, sent, [judged(1, 'posted'), judged(2, 'rejected')]);
  assert.deepEqual(after.map((one) => one.row?.outcome), ['rejected', undefined]);
  assert.deepEqual(after.map(needsFixing), [true, false]);
});

test('the line that another one repeats is named by its number in the table', () => {
  const sent = [line(4), line(5)];
  const repeat = { ...judged(2, 'already_posted'), same_as_row: 1 };
  const after = withOutcomes([line(1), line(4), line(5)], sent, [judged(1, 'posted'), repeat]);
  assert.equal(after[2]?.row?.same_as_row, 2);
  assert.equal(withOutcomes([line(5)], sent, [repeat])[0]?.row?.same_as_row, null);
});

test('what is done is not sent again', () => {
  const lines = (['posted', 'already_posted', 'waiting', 'absent', 'unmatched'] as const).map((outcome, at) => ({
    ...line(at + 1, { register_no: '1' }),
    row: judged(at + 1, outcome),
  }));
  assert.deepEqual(lines.map(isDone), [true, true, true, true, false]);
  assert.deepEqual(toSend(lines, COLUMNS).map((one) => one.id), [5]);
});

test('a new line has the session of the one before it', () => {
  assert.deepEqual(newLine([line(7, { session_no: '3', register_no: '1' })]), line(8, { session_no: '3' }));
  assert.deepEqual(newLine([]), line(1));
});

test('cells copied from a spreadsheet fill lines, and add more', () => {
  const columns = ['register_no', 'mamis_no', 'name_kana'] as const;
  const done = { ...line(2, { register_no: '9' }), row: judged(1, 'posted') };
  const after = pasted([line(1), done, line(3, { name_kana: 'キュウ' })], 0, 0, [...columns], '1\t\tア\tx\r\n 2 \t\r\n3\r\n', 9);
  assert.deepEqual(after.map((one) => [one.id, one.cells]), [
    [1, { register_no: '1', mamis_no: '', name_kana: 'ア' }],
    [2, { register_no: '9' }],
    [3, { register_no: '2', mamis_no: '', name_kana: 'キュウ' }],
    [4, { register_no: '3' }],
  ]);
  assert.equal(pasted([line(1)], 0, 2, [...columns], 'ア\nイ\nウ', 2).length, 2);
});
