import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayOf, minuteOf, timeOf } from './days';

test('days as people write them', () => {
  for (const text of ['1975-12-18', '1975/12/18', '1975.12.18', '19751218', '１９７５年１２月１８日', '昭和50年12月18日', 'S50.12.18', ' s50/12/18 '])
    assert.equal(dayOf(text), '1975-12-18', text);
  assert.equal(dayOf('令和元年5月1日'), '2019-05-01');
  assert.equal(dayOf('平成7年2月3日'), '1995-02-03');
  assert.equal(dayOf('昭和64年1月7日'), '1989-01-07');
});

test('what is no day is refused', () => {
  for (const text of ['平成37年4月1日', 'H32.1.1', '昭和65年1月1日', '大正16/1/1', '令和0年5月1日', '元-04-01'])
    assert.equal(dayOf(text), null, text);
  for (const text of ['', '50-12-18', '1975-13-01', '2025-02-30', '18/12/1975', '昨日', '1975-12', '0001-01-01'])
    assert.equal(dayOf(text), null, text);
});

test('a time that nobody changed keeps its seconds', () => {
  const begun = '2026-11-22T09:30:17+09:00';
  assert.equal(timeOf(minuteOf(begun), begun), begun);
  assert.equal(timeOf('2026-11-22T09:31', begun), '2026-11-22T09:31:00+09:00');
  assert.equal(timeOf('2026-11-22T09:30'), '2026-11-22T09:30:00+09:00');
});
