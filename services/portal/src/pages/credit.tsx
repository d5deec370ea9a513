// One credit of a doctor: what it is, and everything that became of it.
import { call } from '../api/client';
import { PageTitle, Tag } from '../parts/basics';
import { CreditFacts, CreditSteps } from '../parts/corrections';
import { LoadBox, useLoad } from '../parts/load';
import { t, tOf } from '../text/messages';

export function CreditPage({ id }: { id: string }) {
  const path = { entry_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/me/credits/{entry_id}', { path, signal }), [id]);
  return (
    <div class="stack read">
      <LoadBox titled from={loaded}>
        {(credit) => (
          <>
            <PageTitle tag={<Tag tone={credit.status === 'posted' ? 'good' : 'plain'}>{tOf('credit', credit.status)}</Tag>}>
              {t('credit_title')}
            </PageTitle>
            <CreditFacts credit={credit} />
            <section class="stack tight" aria-labelledby="history">
              <h2 id="history">{t('credit_history')}</h2>
              <CreditSteps credit={credit} />
            </section>
            <p>
              <a href="/me/credits">{t('credit_back')}</a>
            </p>
          </>
        )}
      </LoadBox>
    </div>
  );
}
