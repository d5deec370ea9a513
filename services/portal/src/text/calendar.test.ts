import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendar, calendarOf, eraOf, eraYear, setCalendar } from './calendar';
import { dateText, yearText } from './format';
import { setLang } from './lang';

test('eras begin on their day', () => {
  for (const [iso, era] of [
    ['2025-04-01', ['令和', 7]],
    ['2019-05-01', ['令和', 1]],
    ['2019-04-30', ['平成', 31]],
    ['1989-01-08', ['平成', 1]],
    ['1989-01-07', ['昭和', 64]],
    ['1926-12-25', ['昭和', 1]],
    ['1926-12-24', ['大正', 15]],
    ['1912-07-30', ['大正', 1]],
    ['1912-07-29', ['明治', 45]],
  ] as const)
    assert.deepEqual(eraOf(iso), era, iso);
  assert.equal(eraOf('1868-01-01'), null);
  assert.equal(eraYear('1868-01-01'), '1868年');
  assert.equal(eraYear('2019-12-31'), '令和元年');
});

test('offices begin with the Japanese calendar, others with the western one', () => {
  setLang('ja');
  calendarOf({ id: 'a', role: 'office_l2' });
  assert.equal(dateText('2025-04-01'), '令和7年4月1日');
  assert.equal(yearText(2025), '令和7年度');
  setCalendar('western');
  assert.equal(dateText('2025-04-01'), '2025年4月1日');
  calendarOf({ id: 'b', role: 'doctor' });
  assert.equal(calendar(), 'western');
  calendarOf(null);
  assert.equal(dateText('2025-04-01T10:00:00+09:00'), '2025年4月1日');
  calendarOf({ id: 'c', role: 'office_l3' });
  setLang('en');
  assert.equal(dateText('2025-04-01'), '1 April 2025');
  setLang('ja');
  calendarOf(null);
});
