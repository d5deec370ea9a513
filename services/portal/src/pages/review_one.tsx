// One application before an office: evidence first, then what can be done about it.
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import { may } from '../gen/access';
import { ApplicationFacts, Evidence, History, StateLine, StatusTag, type Application } from '../parts/application';
import { Facts, Notice, PageTitle, Tag } from '../parts/basics';
import { LoadBox, useLoad } from '../parts/load';
import { ApprovePart, FeePart, ForwardPart, HandbookPart, RejectPart, ReturnPart } from '../parts/review_actions';
import { session } from '../session';
import { t, tOf } from '../text/messages';

export function ReviewOnePage({ id }: { id: string }) {
  const path = { application_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/applications/{application_id}', { path, signal }), [id]);
  const [said, setSaid] = useState('');
  useEffect(() => setSaid(''), [id]);
  const done = (next: Application) => {
    loaded.put(next);
    setSaid(t('action_done', { status: tOf('status', next.status) }));
  };
  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(application) => (
          <>
            <PageTitle tag={<StatusTag status={application.status} />}>
              {t('review_one', { name: application.doctor?.name ?? '' })}
            </PageTitle>
            <StateLine status={application.status} />
            <div class="cards">
              <ApplicationFacts application={application} />
              <Facts
                rows={[
                  [t('programme'), tOf('programme', application.programme)],
                  [t('applicant'), application.doctor?.name],
                  [t('name_kana'), application.doctor?.name_kana],
                  [t('register_no'), application.doctor?.register_no],
                  [t('mamis_no'), application.doctor?.mamis_no],
                  [t('by_residence'), application.doctor?.by_residence && <Tag tone="warn">{t('by_residence_yes')}</Tag>],
                ]}
              />
            </div>
            <Warnings application={application} />
            <Evidence application={application} />
            {said && (
              <Notice tone="good" alert>
                <p>{said}</p>
              </Notice>
            )}
            <Actions application={application} done={done} />
            <History history={application.history} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

function Warnings({ application }: { application: Application }) {
  const cancelled = application.credits.some((credit) => credit.status === 'cancelled');
  if (!cancelled && !application.depends_on_declared) return null;
  return (
    <Notice tone="warn">
      {application.depends_on_declared && <p>{t('declared_warning')}</p>}
      {cancelled && <p>{t('cancelled_warning')}</p>}
    </Notice>
  );
}

const L2_OPEN = ['submitted', 'l1_review', 'l2_review'];
const L3_OPEN = ['l3_queued', 'l3_review'];

/** Only what the role may do in this state; the server has the last word. */
function Actions({ application, done }: { application: Application; done: (next: Application) => void }) {
  const role = session()?.account.role ?? '';
  const atL2 = L2_OPEN.includes(application.status);
  const atL3 = L3_OPEN.includes(application.status);
  const check = atL2 && may(role, 'application_check');
  const approve = atL3 && may(role, 'application_approve');
  const reject = may(role, 'application_reject') && (role === 'office_l3' ? atL3 : atL2);
  if (!check && !approve && !reject) return null;
  const props = { application, done };
  return (
    <section class="stack" aria-labelledby="actions">
      <h2 id="actions">{t('actions')}</h2>
      {check && <Checklist application={application} />}
      <div class="cards">
        {check && application.handbook !== 'not_needed' && <HandbookPart {...props} />}
        {check && <FeePart {...props} />}
        {check && <ForwardPart {...props} />}
        {approve && <ApprovePart {...props} />}
        {check && <ReturnPart {...props} />}
        {reject && <RejectPart {...props} />}
      </div>
    </section>
  );
}

export const checksOf = (application: Application): [label: string, done: boolean][] => [
  [t('check_requirement'), application.eligible],
  [t('check_handbook'), application.handbook === 'not_needed' || application.handbook === 'received'],
  [t('check_fee'), application.fee !== 'awaited'],
];

function Checklist({ application }: { application: Application }) {
  return (
    <ul class="checks" aria-label={t('checklist')}>
      {checksOf(application).map(([label, ok]) => (
        <li key={label}>
          <Tag tone={ok ? 'good' : 'warn'}>{ok ? t('check_done') : t('check_open')}</Tag> {label}
        </li>
      ))}
    </ul>
  );
}
