// Who signed up to a seminar: those who have a place, then those who wait.
import { call } from '../api/client';
import type { Answer } from '../api/types';
import { numberText, timeText } from '../text/format';
import { t } from '../text/messages';
import { tse } from '../text/seats';
import { Tag } from './basics';
import { ListFoot, LoadBox, usePages } from './load';
import { Table, type Column } from './table';

type Applicants = Answer<'/api/v1/seminars/{seminar_no}/signups', 'get'>;
export type Applicant = Applicants['items'][number];

export function ApplicantsSection({ no }: { no: string }) {
  const path = { seminar_no: no };
  const pages = usePages<Applicant, Applicants>(
    (cursor, signal) =>
      call('get', '/api/v1/seminars/{seminar_no}/signups', { path, query: { cursor, limit: 50 }, signal }),
    [no],
  );
  return (
    <section class="stack" aria-labelledby="applicants">
      <h2 id="applicants">{tse('applicants')}</h2>
      <LoadBox from={pages}>
        {({ applied, waitlist }) => (
          <>
            {applied + waitlist > 0 && (
              <p class="num">
                {tse('applicants_counts', { applied: numberText(applied), waitlist: numberText(waitlist) })}
              </p>
            )}
            <Table
              caption={tse('applicants')}
              hideCaption
              columns={columns()}
              rows={pages.items}
              keyOf={(item) => `${item.register_no} ${item.asked_at}`}
              empty={tse('applicants_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </section>
  );
}

const columns = (): Column<Applicant>[] => [
  { id: 'name', label: t('name'), head: true, cell: (item) => item.name },
  { id: 'kana', label: t('name_kana'), cell: (item) => item.name_kana },
  { id: 'no', label: t('register_no'), kind: 'tight', cell: (item) => item.register_no },
  { id: 'asked', label: tse('asked_at'), kind: 'date', cell: (item) => timeText(item.asked_at) },
  {
    id: 'state',
    label: t('status'),
    kind: 'tight',
    cell: (item) => <Tag tone={item.state === 'applied' ? 'good' : 'warn'}>{tse(`applicant_${item.state}`)}</Tag>,
  },
];

/** All who have a place, for the list to fill in; as many requests as it takes. */
export async function withPlaces(no: string): Promise<Applicant[]> {
  const found: Applicant[] = [];
  for (let cursor: string | null | undefined = ''; cursor !== null && cursor !== undefined; ) {
    const query = cursor ? { cursor, limit: 500 } : { limit: 500 };
    const page: Applicants = await call('get', '/api/v1/seminars/{seminar_no}/signups', {
      path: { seminar_no: no },
      query,
    });
    found.push(...page.items.filter(({ state }) => state === 'applied'));
    cursor = page.items.some(({ state }) => state === 'waitlist') ? null : page.next_cursor;
  }
  return found;
}
