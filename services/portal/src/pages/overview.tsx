// My Page: for each certificate what its renewal needs, what counts, what does not and why.
import { call } from '../api/client';
import { useNews } from '../api/news';
import type { Answer } from '../api/types';
import { Facts, LinkButton, Notice, PageTitle } from '../parts/basics';
import { CreditTable, RequirementLines } from '../parts/requirement';
import { LinkingNotice, useLinking } from '../parts/linking';
import { LoadBox, useLoad } from '../parts/load';
import { useSession } from '../session';
import { dateText, periodText, timeText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';

export type Standing = Answer<'/api/v1/me/standing', 'get'>['items'][number];

export function OverviewPage() {
  const { me } = useSession();
  const loaded = useLoad((signal) => call('get', '/api/v1/me/standing', { signal }), []);
  useNews('standing', loaded.reload);
  const linking = useLinking();
  return (
    <div class="stack wide">
      <div class="stack tight">
        <PageTitle>{t('me_title')}</PageTitle>
        {me?.doctor && (
          <p class="row num">
            <span>{me.doctor.name}</span>
            <span>
              {t('mamis_no')} {me.doctor.mamis_no}
            </span>
            <span>
              {t('register_no')} {me.doctor.register_no}
            </span>
          </p>
        )}
      </div>
      <LinkingNotice />
      <LoadBox from={loaded}>
        {({ items }) =>
          items.length === 0
            ? !linking && <p>{t('me_none')}</p>
            : items.map((item) => <StandingCard key={item.programme} standing={item} />)
        }
      </LoadBox>
    </div>
  );
}

function StandingCard({ standing }: { standing: Standing }) {
  const { programme, certificate, credits } = standing;
  const id = `standing-${programme}`;
  const name = tOf('programme', programme);
  const counted = standing.counted_half_units;
  return (
    <section class="card stack" aria-labelledby={id}>
      <div class="row between">
        <h2 id={id}>{name}</h2>
        <p class="soft num">{t('as_of', { time: timeText(standing.as_of) })}</p>
      </div>
      <Facts
        rows={[
          [t('certificate_no'), <span class="num">{certificate.number}</span>],
          [t('valid'), <span class="num">{periodText(certificate.valid_from, certificate.valid_to)}</span>],
        ]}
      />
      <div class="standing">
        <div class="stack">
          <div class="stack tight">
            <h3>{t('counted_of')}</h3>
            <p class="sum num">
              <b>{unitText(counted)}</b>
              <span>{t('of_needed', { needed: unitText(standing.needed_half_units) })}</span>
            </p>
            <progress
              class={counted >= standing.needed_half_units ? 'tall good' : 'tall'}
              aria-label={t('counted_of')}
              max={standing.needed_half_units}
              value={Math.min(counted, standing.needed_half_units)}
            />
          </div>
          <RequirementLines lines={standing.lines} />
        </div>
        <div class="stack">
          <Verdict standing={standing} />
        </div>
      </div>
      {credits.length > 0 && (
        <details>
          <summary>{t('credits_of_period', { n: credits.length })}</summary>
          <CreditTable caption={name} credits={credits} />
        </details>
      )}
    </section>
  );
}

/** Ready, or what is missing; and the one thing that can be done about it now. */
function Verdict({ standing }: { standing: Standing }) {
  const { programme, why_not } = standing;
  const reason =
    why_not &&
    tWhy(why_not, dateText(why_not === 'window_not_open' ? standing.opens_on : standing.closes_on));
  return (
    <>
      {standing.eligible ? (
        <Notice tone="good" title={standing.depends_on_declared ? undefined : t('ready')}>
          {standing.depends_on_declared && <p>{t('ready_declared')}</p>}
          {reason && <p>{reason}</p>}
        </Notice>
      ) : (
        <Notice tone="warn" title={t('missing')}>
          <ul>
            {standing.missing.map((line) => (
              <li key={line.kind ?? ''}>
                {line.kind
                  ? t('missing_kind', { kind: line.kind_name ?? line.kind, units: unitText(line.half_units) })
                  : t('missing_total', { units: unitText(line.half_units) })}
              </li>
            ))}
          </ul>
          {reason && <p>{reason}</p>}
        </Notice>
      )}
      <div class="row">
        {standing.open_application_id && (
          <LinkButton look="main" href={`/me/applications/${standing.open_application_id}`}>
            {t('apply_see')}
          </LinkButton>
        )}
        {standing.can_apply && (
          <LinkButton look="main" href={`/me/apply/${programme}`}>
            {t('apply')}
          </LinkButton>
        )}
        {!standing.open_application_id && (
          <a href={`/me/handbook?programme=${programme}`}>{t('handbook_use')}</a>
        )}
      </div>
    </>
  );
}

function tWhy(why: NonNullable<Standing['why_not']>, date: string): string {
  return t(`why_${why}`, { date });
}

