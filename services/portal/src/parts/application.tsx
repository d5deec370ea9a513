// What doctor and offices both see of an application: its state, line of stages, history.
import type { components } from '../gen/api';
import { dateText, periodText, timeText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';
import { Facts, Tag, type Tone } from './basics';
import { CreditTable, RequirementLines } from './requirement';
import { Steps } from './steps';
import { Table, type Column } from './table';

export type Application = components['schemas']['Application'];
export type Summary = components['schemas']['ApplicationSummary'];

const TONES: Record<string, Tone> = {
  returned: 'warn',
  approved: 'good',
  closed: 'good',
  rejected_l2: 'bad',
  rejected_l3: 'bad',
  withdrawn: 'plain',
};

export function StatusTag({ status }: { status: Summary['status'] }) {
  return <Tag tone={TONES[status] ?? 'info'}>{tOf('status', status)}</Tag>;
}

/** Which of the four stages the application stands at; -1 when it ended without approval. */
export function stageOf(status: Summary['status']): number {
  switch (status) {
    case 'draft':
    case 'submitted':
      return 0;
    case 'l1_review':
    case 'l2_review':
    case 'returned':
      return 1;
    case 'l3_queued':
    case 'l3_review':
      return 2;
    case 'approved':
    case 'closed':
      return 4;
    case 'rejected_l2':
    case 'rejected_l3':
    case 'withdrawn':
      return -1;
  }
}

export function StateLine({ status }: { status: Summary['status'] }) {
  const stage = stageOf(status);
  if (stage < 0) return null;
  const steps = [t('stage_submitted'), t('stage_l2'), t('stage_l3'), t('stage_end')];
  return <Steps label={t('state_line')} steps={steps} now={stage} />;
}

export function ApplicationFacts({ application }: { application: Application }) {
  const { certificate, total, new_period } = application;
  return (
    <Facts
      rows={[
        [t('submitted_at'), timeText(application.submitted_at)],
        [t('cycle'), application.cycle],
        [t('certificate_no'), certificate.number],
        [t('valid'), periodText(certificate.valid_from, certificate.valid_to)],
        [t('new_period'), new_period && periodText(new_period.valid_from, new_period.valid_to)],
        [
          t('counted_of'),
          `${unitText(total.counted_half_units)} ${t('of_needed', { needed: unitText(total.needed_half_units) })}`,
        ],
        [t('handbook_flag'), tOf('handbook', application.handbook)],
        [t('fee_flag'), tOf('fee', application.fee)],
      ]}
    />
  );
}

export function Evidence({ application }: { application: Application }) {
  return (
    <>
      <section class="stack" aria-labelledby="requirement">
        <h2 id="requirement">{t('requirement')}</h2>
        <div class="read">
          <RequirementLines lines={application.lines} />
        </div>
      </section>
      <section class="stack" aria-labelledby="evidence">
        <h2 id="evidence">{t('evidence')}</h2>
        <CreditTable caption={t('evidence')} credits={application.credits} />
      </section>
    </>
  );
}

export function History({ history }: { history: Application['history'] }) {
  return (
    <section class="stack" aria-labelledby="history">
      <h2 id="history">{t('history')}</h2>
      <ol class="timeline">
        {history.map((item) => (
          <li key={item.at + item.action}>
            <span class="num">{timeText(item.at)}</span>{' '}
            <span class="strong">{tOf('history', item.action)}</span>{' '}
            <span class="soft">({tOf('role', item.actor_role)})</span>
            {item.reason && <p>{item.reason}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A list of applications; offices also see whose they are. */
export function ApplicationTable(props: {
  caption: string;
  items: Summary[];
  empty: string;
  href: (id: string) => string;
  office?: boolean;
}) {
  const columns: Column<Summary>[] = [
    {
      id: 'name',
      label: props.office ? t('applicant') : t('programme'),
      head: true,
      cell: (item) => (
        <>
          <a href={props.href(item.application_id)}>
            {props.office ? item.doctor?.name : tOf('programme', item.programme)}
          </a>
          {props.office && (
            <>
              <br />
              <span class="soft num">
                {t('register_no')} {item.doctor?.register_no}
              </span>
            </>
          )}
        </>
      ),
    },
    { id: 'submitted', label: t('submitted_at'), kind: 'date', cell: (item) => dateText(item.submitted_at) },
    { id: 'cycle', label: t('cycle'), kind: 'tight', cell: (item) => item.cycle },
    { id: 'valid_to', label: t('valid_to'), kind: 'date', cell: (item) => dateText(item.certificate.valid_to) },
    { id: 'handbook', label: t('handbook_flag'), cell: (item) => tOf('handbook', item.handbook) },
    { id: 'fee', label: t('fee_flag'), cell: (item) => tOf('fee', item.fee) },
    {
      id: 'status',
      label: t('status'),
      cell: (item) => (
        <>
          <StatusTag status={item.status} />
          {(item.credits_cancelled ?? 0) > 0 && <Tag tone="warn">{t('credits_cancelled')}</Tag>}
        </>
      ),
    },
  ];
  if (props.office)
    columns.splice(1, 0, { id: 'programme', label: t('programme'), cell: (item) => tOf('programme', item.programme) });
  return (
    <Table
      caption={props.caption}
      hideCaption
      columns={columns}
      rows={props.items}
      keyOf={(item) => item.application_id}
      empty={props.empty}
    />
  );
}
