// Certificates: number, period, whether they can be renewed, earlier periods.
import { call } from '../api/client';
import { Facts, PageTitle, Tag, type Tone } from '../parts/basics';
import { LinkingNotice } from '../parts/linking';
import { LoadBox, useLoad } from '../parts/load';
import { dateText, periodText } from '../text/format';
import { t, tOf } from '../text/messages';

const TONES: Record<string, Tone> = {
  valid: 'good',
  renewable: 'info',
  renewal_in_progress: 'info',
  pending_renewal: 'warn',
  expired: 'bad',
};

export function CertificatesPage() {
  const loaded = useLoad((signal) => call('get', '/api/v1/me/certificates', { signal }), []);
  return (
    <div class="stack wide">
      <PageTitle>{t('certs_title')}</PageTitle>
      <LinkingNotice />
      <LoadBox from={loaded}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{t('certs_none')}</p>
          ) : (
            <div class="cards">
              {items.map((item) => (
                <section key={item.programme} class="card stack" aria-labelledby={`cert-${item.programme}`}>
                  <div class="row between">
                    <h2 id={`cert-${item.programme}`}>{tOf('programme', item.programme)}</h2>
                    <Tag tone={TONES[item.status] ?? 'plain'}>{tOf('cert', item.status)}</Tag>
                  </div>
                  <Facts
                    rows={[
                      [t('certificate_no'), <span class="num">{item.number}</span>],
                      [t('valid'), <span class="num">{periodText(item.valid_from, item.valid_to)}</span>],
                      [t('first_from'), <span class="num">{dateText(item.first_from)}</span>],
                      [t('cert_periods'), item.periods.length > 1 && <Periods periods={item.periods} />],
                    ]}
                  />
                </section>
              ))}
            </div>
          )
        }
      </LoadBox>
    </div>
  );
}

function Periods({ periods }: { periods: { number: string; valid_from: string; valid_to: string }[] }) {
  return (
    <>
      {periods.map((period) => (
        <div class="num" key={period.valid_from}>
          {periodText(period.valid_from, period.valid_to)}
        </div>
      ))}
    </>
  );
}
