// The offices' list of applications, filtered by status.
import { call } from '../api/client';
import type { Answer } from '../api/types';
import { ApplicationTable, type Summary } from '../parts/application';
import { PageTitle } from '../parts/basics';
import { SelectField } from '../parts/fields';
import { LoadBox, ListFoot, usePages } from '../parts/load';
import { here, setQuery } from '../router';
import { session } from '../session';
import { t, tOf } from '../text/messages';

type Applications = Answer<'/api/v1/applications', 'get'>;
type Status = Summary['status'];

const STATUSES: Status[] = [
  'submitted',
  'l1_review',
  'l2_review',
  'returned',
  'l3_queued',
  'l3_review',
  'approved',
  'rejected_l2',
  'rejected_l3',
  'withdrawn',
  'closed',
];

/** What waits for this office comes first. */
const firstStatus = (role: string): Status | '' =>
  role === 'office_l2' ? 'l2_review' : role === 'office_l3' ? 'l3_queued' : '';

export function ReviewPage() {
  const asked = here().query.get('status');
  const wanted = asked ?? firstStatus(session()?.account.role ?? '');
  const status = STATUSES.find((name) => name === wanted);
  const pages = usePages<Summary, Applications>(
    (cursor, signal) =>
      call('get', '/api/v1/applications', {
        query: { ...(status ? { status } : {}), ...(cursor ? { cursor } : {}), limit: 50 },
        signal,
      }),
    [status],
  );
  return (
    <div class="stack wide">
      <PageTitle>{t('review_title')}</PageTitle>
      <SelectField
        id="status"
        label={t('review_filter')}
        value={status ?? 'all'}
        options={[['all', t('all')], ...STATUSES.map((name): [string, string] => [name, tOf('status', name)])]}
        onValue={(value) => setQuery({ status: value })}
      />
      <LoadBox from={pages}>
        {() => (
          <>
            <ApplicationTable
              office
              caption={t('review_list')}
              items={pages.items}
              empty={t('review_none')}
              href={(id) => `/applications/${id}`}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}
