// Credits as their doctor and a delegate see them: the sums, then the list.
import type { Answer } from '../api/types';
import { t } from '../text/messages';
import { CreditTotals, CreditYears } from './credit_sums';
import { ListFoot, LoadBox, type Pages } from './load';
import { Table, type Column } from './table';

export type Credits = Answer<'/api/v1/me/credits', 'get'>;
export type Credit = Credits['items'][number];

export function CreditList({ pages, columns }: { pages: Pages<Credit, Credits>; columns: Column<Credit>[] }) {
  return (
    <LoadBox from={pages}>
      {({ totals, totals_by_year }) => (
        <>
          {totals.length > 0 && (
            <section class="stack" aria-labelledby="totals">
              <h2 id="totals">{t('credits_totals')}</h2>
              <CreditTotals totals={totals} />
              <CreditYears years={totals_by_year} />
            </section>
          )}
          <section class="stack" aria-labelledby="list">
            <h2 id="list">{t('credits_list')}</h2>
            <Table
              caption={t('credits_list')}
              hideCaption
              columns={columns}
              rows={pages.items}
              keyOf={(credit) => credit.entry_id}
              off={(credit) => credit.status === 'cancelled'}
              empty={t('credits_empty')}
            />
            <ListFoot pages={pages} />
          </section>
        </>
      )}
    </LoadBox>
  );
}
