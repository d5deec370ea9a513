// A doctor's applications: the list, one of them, and applying.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { ApplicationFacts, ApplicationTable, Evidence, History, StateLine, StatusTag } from '../parts/application';
import type { Application } from '../parts/application';
import { Facts, LinkButton, Notice, PageTitle } from '../parts/basics';
import { SendButton } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { RequirementLines } from '../parts/requirement';
import { go } from '../router';
import { dateText, periodText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';
import type { Standing } from './overview';

export function MyApplicationsPage() {
  const loaded = useLoad((signal) => call('get', '/api/v1/me/applications', { signal }), []);
  return (
    <div class="stack wide">
      <PageTitle>{t('apps_title')}</PageTitle>
      <LoadBox from={loaded}>
        {({ items }) => (
          <ApplicationTable
            caption={t('apps_title')}
            items={items}
            empty={t('apps_none')}
            href={(id) => `/me/applications/${id}`}
          />
        )}
      </LoadBox>
    </div>
  );
}

export function MyApplicationPage({ id }: { id: string }) {
  const path = { application_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/me/applications/{application_id}', { path, signal }), [id]);
  const [said, setSaid] = useState(history.state === 'applied' ? t('apply_done') : '');
  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(application) => (
          <>
            <PageTitle tag={<StatusTag status={application.status} />}>
              {t('app_title', { programme: tOf('programme', application.programme) })}
            </PageTitle>
            {said && (
              <Notice tone="good" alert>
                <p>{said}</p>
                {application.depends_on_declared && <p>{t('hand_op_note')}</p>}
              </Notice>
            )}
            <StateLine status={application.status} />
            {application.status === 'returned' && (
              <Returned
                application={application}
                done={(next) => {
                  loaded.put(next);
                  setSaid(t('resubmitted'));
                }}
              />
            )}
            <div class="read">
              <ApplicationFacts application={application} />
            </div>
            <Evidence application={application} />
            <History history={application.history} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

function Returned({ application, done }: { application: Application; done: (next: Application) => void }) {
  const form = useForm({});
  const path = { application_id: application.application_id };
  return (
    <Notice tone="warn" title={t('returned_title')}>
      <p>{application.return_reason}</p>
      {application.return_until && <p>{t('returned_until', { date: dateText(application.return_until) })}</p>}
      <p>
        <a href={`/me/handbook?programme=${application.programme}`}>{t('handbook_use')}</a>
      </p>
      <FormBox
        form={form}
        send={async () =>
          done(await command('post', '/api/v1/me/applications/{application_id}/resubmit', { path, body: {} }))
        }
      >
        <div>
          <SendButton busy={form.busy}>{t('resubmit')}</SendButton>
        </div>
      </FormBox>
    </Notice>
  );
}

export function ApplyPage({ programme }: { programme: string }) {
  const loaded = useLoad((signal) => call('get', '/api/v1/me/standing', { signal }), []);
  return (
    <div class="stack read">
      <PageTitle>{t('apply_title', { programme: tOf('programme', programme) })}</PageTitle>
      <LoadBox from={loaded}>
        {({ items }) => {
          const standing = items.find((item) => item.programme === programme);
          return standing?.can_apply ? (
            <ApplyForm standing={standing} />
          ) : (
            <Notice tone="warn" title={t('apply_cannot')}>
              <p>
                <LinkButton href="/me">{t('nav_overview')}</LinkButton>
              </p>
            </Notice>
          );
        }}
      </LoadBox>
    </div>
  );
}

function ApplyForm({ standing }: { standing: Standing }) {
  const form = useForm({});
  const { certificate, programme } = standing;
  return (
    <FormBox
      form={form}
      send={async () => {
        const made = await command('post', '/api/v1/me/applications', { body: { programme } });
        go(`/me/applications/${made.application_id}`, { replace: true, state: 'applied' });
      }}
    >
      <p>{t('apply_lead')}</p>
      <Facts
        rows={[
          [t('certificate_no'), certificate.number],
          [t('valid'), periodText(certificate.valid_from, certificate.valid_to)],
          [
            t('counted_of'),
            `${unitText(standing.counted_half_units)} ${t('of_needed', { needed: unitText(standing.needed_half_units) })}`,
          ],
        ]}
      />
      <RequirementLines lines={standing.lines} />
      {standing.depends_on_declared && (
        <Notice tone="info">
          <p>{t('ready_declared')}</p>
        </Notice>
      )}
      <p>{t('apply_fee')}</p>
      <div class="row">
        <SendButton busy={form.busy}>{t('apply_send')}</SendButton>
        <a href="/me">{t('cancel')}</a>
      </div>
    </FormBox>
  );
}
