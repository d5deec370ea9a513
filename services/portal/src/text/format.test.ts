import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText, dateText, halfUnitsOf, periodText, timeText, unitText, yearDays, yearText } from './format';
import { setLang } from './lang';

test('dates and times read as in Japan, whatever the zone of this machine', () => {
  setLang('ja');
  assert.equal(dateText('2026-11-22'), '2026年11月22日');
  assert.equal(dateText('2026-01-05T00:30:00+09:00'), '2026年1月5日');
  assert.equal(timeText('2026-11-22T09:05:00.123+09:00'), '2026年11月22日 9:05');
  assert.equal(dateText(null), '');
  assert.equal(periodText('2022-04-15', '2027-04-14'), '2022年4月15日 ～ 2027年4月14日');
  setLang('en');
  assert.equal(dateText('2026-11-22'), '22 November 2026');
});

test('a fiscal year runs from April to March', () => {
  setLang('ja');
  assert.equal(yearText(2026), '2026年度');
  setLang('en');
  assert.equal(yearText(2026), 'FY 2026/27');
  assert.equal(yearText(2099), 'FY 2099/00');
  assert.deepEqual(yearDays(2026), ['2026-04-01', '2027-03-31']);
});

test('half units are shown as units', () => {
  setLang('ja');
  for (const [half, text] of [[0, '0単位'], [1, '0.5単位'], [2, '1単位'], [3, '1.5単位'], [40, '20単位'], [-3, '-1.5単位']] as const)
    assert.equal(unitText(half), text);
  setLang('en');
  assert.equal(unitText(2), '1 unit');
  assert.equal(unitText(3), '1.5 units');
});

test('typed units become half units, or are refused', () => {
  for (const [text, half] of [['3', 6], ['1.5', 3], ['１．５', 3], [' 2.0 ', 4], ['0', 0]] as const)
    assert.equal(halfUnitsOf(text), half, text);
  for (const text of ['', '1.25', '2単位', '-1', '1e2', '1234']) assert.equal(halfUnitsOf(text), null, text);
});

test('sizes of files', () => {
  setLang('ja');
  assert.equal(bytesText(512), '512 B');
  assert.equal(bytesText(2048), '2 kB');
  assert.equal(bytesText(64 * 1024 * 1024), '64 MB');
});
