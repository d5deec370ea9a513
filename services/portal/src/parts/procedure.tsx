// What doctor and offices both see of a procedure: its line of stages, what changes, its history.
import type { components } from '../gen/api';
import { dateText, timeText } from '../text/format';
import { fieldName, tm, tmOf } from '../text/membership';
import { tOf } from '../text/messages';
import { Facts, Notice, Tag, type Tone } from './basics';
import { Steps } from './steps';
import { Table, type Column } from './table';

export type Procedure = components['schemas']['Procedure'];
export type ProcedureSummary = components['schemas']['ProcedureSummary'];

const TONES: Record<string, Tone> = {
  returned: 'warn',
  done: 'good',
  effective: 'good',
  partial: 'warn',
  rejected: 'bad',
  cancelled: 'plain',
};

export function StageTag({ stage }: { stage: ProcedureSummary['stage'] }) {
  return <Tag tone={TONES[stage] ?? 'info'}>{tmOf('stage', stage)}</Tag>;
}

/** The stages from filing to the end, each with the day it was passed. */
export function RouteLine({ procedure }: { procedure: Procedure }) {
  if (['rejected', 'cancelled'].includes(procedure.stage)) return null;
  const steps = procedure.route.map(({ stage, at }) => {
    const name = stage === 'done' ? tm('route_end') : tmOf('stage', stage);
    return at ? `${name} ${dateText(at)}` : name;
  });
  const open = procedure.route.findIndex(({ at }) => !at);
  const now = open < 0 ? steps.length : open; // of one granted in part: the stage that refused it
  return <Steps label={tm('route')} steps={steps} now={now} />;
}

const codeName = (code: string | null, name: string | null): string => (name ? `${name}（${code}）` : (code ?? ''));

export function ProcedureFacts({ procedure }: { procedure: Procedure }) {
  return (
    <Facts
      rows={[
        [tm('kind'), tmOf('kind', procedure.kind)],
        [tm('depth'), procedure.depth > 0 && tmOf('depth', String(procedure.depth))],
        [tm('l1_code'), codeName(procedure.l1_code, procedure.l1_name)],
        [tm('from_to'), procedure.new_l1_code && codeName(procedure.new_l1_code, procedure.new_l1_name)],
        [tm('effective_on'), dateText(procedure.applied_on ?? procedure.effective_on)],
        [tm('submitted_at'), timeText(procedure.submitted_at)],
        [tm('filed_reason'), procedure.filed_reason],
        [tm('by_office'), procedure.by_office && tOf('role', procedure.filed_by)],
      ]}
    />
  );
}

type Change = Procedure['changes'][number];

const shown = (field: string, value: string | null): string =>
  field === 'category_l3' && value ? tmOf('cat', value) : (value ?? '');

/** What changed beside what was. */
export function Changes({ procedure }: { procedure: Procedure }) {
  const columns: Column<Change>[] = [
    { id: 'field', label: tm('field'), head: true, cell: (change) => fieldName(change.field) },
    { id: 'before', label: tm('before'), cell: (change) => shown(change.field, change.before) || '-' },
    { id: 'after', label: tm('after'), cell: (change) => <b>{shown(change.field, change.after) || '-'}</b> },
  ];
  return (
    <section class="stack" aria-labelledby="changes">
      <h2 id="changes">{tm('changes')}</h2>
      {procedure.loses_insurance && (
        <Notice tone="warn">
          <p>{tm('insurance')}</p>
        </Notice>
      )}
      <Table
        caption={tm('changes')}
        hideCaption
        columns={columns}
        rows={procedure.changes}
        keyOf={(change) => change.field}
        empty={tm('changes_none')}
      />
    </section>
  );
}

export function ProcedureHistory({ history }: { history: Procedure['history'] }) {
  return (
    <section class="stack" aria-labelledby="history">
      <h2 id="history">{tm('history')}</h2>
      <ol class="timeline">
        {history.map((item) => (
          <li key={item.at + item.action}>
            <span class="num">{timeText(item.at)}</span> <span class="strong">{tmOf('act', item.action)}</span>{' '}
            {item.actor_role && <span class="soft">({tOf('role', item.actor_role)})</span>}
            {item.reason && <p>{item.reason}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
