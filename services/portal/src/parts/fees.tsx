// What a category of the national association costs a year: an estimate in words.
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import type { Answer } from '../api/types';
import { dayOf } from '../text/days';
import { tm, tmOf } from '../text/membership';
import { Notice } from './basics';

export type Fees = Answer<'/api/v1/me/fees', 'get'>;
type Fee = Fees['items'][number];

const yen = (amount: number): string => tm('fee_yen', { n: amount.toLocaleString('ja-JP') });

export function feeText({ waived, yen: fee, insurance_yen }: Fee): string {
  if (fee === null) return tm('fee_unknown');
  if (!waived) return yen(fee);
  if (insurance_yen === null) return tm('fee_waived_ask');
  return insurance_yen > 0 ? tm('fee_waived_insurance', { yen: yen(insurance_yen) }) : tm('fee_waived');
}

/** Shown beside a form as soon as there is a category and a day. */
export function MyFee({ category, day }: { category: string; day: string }) {
  const on = dayOf(day);
  const [fees, setFees] = useState<Fees>();
  useEffect(() => {
    const stop = new AbortController();
    if (category)
      call('get', '/api/v1/me/fees', { query: on ? { on } : {}, signal: stop.signal }).then(setFees, () => undefined); // filing works without it
    return () => stop.abort();
  }, [category, on]);
  const fee = fees?.items.find((item) => item.category === category);
  if (!fees || !fee) return null;
  return (
    <Notice tone="info" title={tm('fee_title')}>
      <p>{tm('fee_line', { year: String(fees.fiscal_year), category: tmOf('cat', category), fee: feeText(fee) })}</p>
      <p class="soft">{tm('fee_note')}</p>
    </Notice>
  );
}
