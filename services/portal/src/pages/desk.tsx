// An office's desk: what waits there, oldest first, plain ones approved together; and the members.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { errorOf, problemOf, type ApiError, type Problem } from '../api/problem';
import type { Answer } from '../api/types';
import { Button, LinkButton, Notice, PageTitle, Tag } from '../parts/basics';
import { SelectField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { ListFoot, LoadBox, ProblemNotice, usePages } from '../parts/load';
import { StageTag, type ProcedureSummary } from '../parts/procedure';
import { FileForm, inputForOf } from '../parts/procedure_form';
import { Table, type Column } from '../parts/table';
import { may } from '../gen/access';
import { go, here, setQuery } from '../router';
import { session } from '../session';
import { dayOf } from '../text/days';
import { dateText } from '../text/format';
import { tm, tmOf } from '../text/membership';

type Procedures = Answer<'/api/v1/procedures', 'get'>;

const DAY_MS = 86_400_000;
/** By the last answer's own clock the server says what is overdue; the age is for reading. */
const ageOf = (item: ProcedureSummary): number =>
  Math.max(0, Math.floor((Date.now() - Date.parse(item.stage_at)) / DAY_MS));

export function DeskPage() {
  const all = here().query.get('show') === 'all';
  const pages = usePages<ProcedureSummary, Procedures>(
    (cursor, signal) =>
      call('get', '/api/v1/procedures', { query: { waiting: !all, ...(cursor ? { cursor } : {}), limit: 50 }, signal }),
    [all],
  );
  return (
    <div class="stack wide">
      <div class="row between">
        <PageTitle>{tm('desk_title')}</PageTitle>
        {may(session()?.account.role ?? '', 'procedure_file_for') && (
          <div class="row">
            <LinkButton look="text" href="/procedures/training">
              {tm('training_for')}
            </LinkButton>
            <LinkButton href="/procedures/new">{tm('file_for')}</LinkButton>
          </div>
        )}
      </div>
      <p>{tm('desk_lead')}</p>
      <SelectField
        id="show"
        label={tm('desk_which')}
        value={all ? 'all' : 'waiting'}
        options={[
          ['waiting', tm('desk_waiting')],
          ['all', tm('desk_all')],
        ]}
        onValue={(value) => setQuery({ show: value === 'all' ? 'all' : '' })}
      />
      <LoadBox from={pages}>
        {() => (
          <>
            <Desk items={pages.items} reload={pages.reload} />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

/** As many as one request takes. */
const BULK_MAX = 100;

interface Outcome {
  approved: ProcedureSummary[];
  refused: { item: ProcedureSummary; problem: Problem }[];
  /** Of a request that failed as a whole. */
  error?: ApiError;
}

/** The server judges each alone, as it was when this list was read. */
async function approveAll(chosen: ProcedureSummary[]): Promise<Outcome> {
  const outcome: Outcome = { approved: [], refused: [] };
  try {
    for (let from = 0; from < chosen.length; from += BULK_MAX) {
      const part = chosen.slice(from, from + BULK_MAX);
      const items = part.map(({ procedure_id, version }) => ({ procedure_id, version }));
      const answer = await command('post', '/api/v1/procedures/bulk-approve', { body: { items } });
      part.forEach((item, place) => {
        const told = answer.items[place]?.problem;
        if (told) outcome.refused.push({ item, problem: problemOf(told, told.status) });
        else outcome.approved.push(item);
      });
    }
  } catch (cause) {
    outcome.error = errorOf(cause);
  }
  return outcome;
}

function Desk({ items, reload }: { items: ProcedureSummary[]; reload: () => void }) {
  const [chosen, setChosen] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  const plain = items.filter((item) => item.mine && item.plain && item.stage !== 'returned' && !item.stage.includes('_wait_'));
  const picked = plain.filter((item) => chosen.includes(item.procedure_id));
  const choose = (id: string, on: boolean) => setChosen((old) => (on ? [...old, id] : old.filter((one) => one !== id)));
  const approve = async () => {
    setBusy(true);
    const became = await approveAll(picked);
    const gone = became.approved.map((item) => item.procedure_id);
    setChosen((old) => old.filter((id) => !gone.includes(id)));
    setOutcome(became);
    setBusy(false);
    reload();
  };
  return (
    <>
      {outcome && <OutcomeBox {...outcome} />}
      {plain.length > 0 && (
        <div class="row">
          <Button onClick={() => setChosen(plain.map((item) => item.procedure_id))}>{tm('bulk_all')}</Button>
          {picked.length > 0 && (
            <Button look="main" busy={busy} onClick={() => void approve()}>
              {tm('bulk', { n: picked.length })}
            </Button>
          )}
        </div>
      )}
      <DeskTable items={items} plain={plain} chosen={chosen} choose={choose} />
    </>
  );
}

const nameOf = (item: ProcedureSummary): string =>
  tm('one_title', { name: item.doctor?.name ?? '', kind: tmOf('kind', item.kind) });

function OutcomeBox({ approved, refused, error }: Outcome) {
  return (
    <>
      {error && <ProblemNotice error={error} />}
      {approved.length > 0 && (
        <Notice tone="good" title={tm('bulk_done', { n: approved.length })} alert>
          <ul>
            {approved.map((item) => (
              <li key={item.procedure_id}>{nameOf(item)}</li>
            ))}
          </ul>
        </Notice>
      )}
      {refused.length > 0 && (
        <Notice tone="warn" title={tm('bulk_failed', { n: refused.length })} alert>
          <ul>
            {refused.map(({ item, problem }) => (
              <li key={item.procedure_id}>
                <a href={`/procedures/${item.procedure_id}`}>{nameOf(item)}</a>
                <br />
                {problem.title}
                <br />
                <span class="soft">{problem.cure}</span>
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

interface DeskTableProps {
  items: ProcedureSummary[];
  plain: ProcedureSummary[];
  chosen: string[];
  choose: (id: string, on: boolean) => void;
}

function DeskTable({ items, plain, chosen, choose }: DeskTableProps) {
  const columns: Column<ProcedureSummary>[] = [
    {
      id: 'applicant',
      label: tm('applicant'),
      head: true,
      cell: (item) => (
        <>
          <a href={`/procedures/${item.procedure_id}`}>{item.doctor?.name}</a>
          <br />
          <span class="soft num">
            {tm('register_no')} {item.doctor?.register_no}
          </span>
        </>
      ),
    },
    { id: 'kind', label: tm('kind'), cell: (item) => tmOf('kind', item.kind) },
    {
      id: 'marks',
      label: tm('route'),
      cell: (item) => (
        <>
          <StageTag stage={item.stage} /> {item.to_confirm && <Tag tone="warn">{tm('to_confirm')}</Tag>}{' '}
          {item.by_office && <Tag>{tm('by_office')}</Tag>} {!item.plain && item.mine && <Tag tone="warn">{tm('look')}</Tag>}
        </>
      ),
    },
    { id: 'since', label: tm('waiting_since'), kind: 'date', cell: (item) => dateText(item.stage_at) },
    {
      id: 'age',
      label: tm('age'),
      cell: (item) =>
        (item.mine || item.to_confirm) && (
          <>
            {tm('age_days', { n: ageOf(item) })} {item.overdue && <Tag tone="bad">{tm('overdue')}</Tag>}
          </>
        ),
    },
    { id: 'effective', label: tm('effective_on'), kind: 'date', cell: (item) => dateText(item.effective_on) },
  ];
  if (plain.length > 0)
    columns.unshift({
      id: 'choose',
      label: tm('plain'),
      cell: (item) =>
        plain.includes(item) && (
          <input
            type="checkbox"
            aria-label={tm('choose_one', { name: item.doctor?.name ?? '' })}
            checked={chosen.includes(item.procedure_id)}
            onChange={(event) => choose(item.procedure_id, event.currentTarget.checked)}
          />
        ),
    });
  return (
    <Table
      caption={tm('desk_list')}
      hideCaption
      columns={columns}
      rows={items}
      keyOf={(item) => item.procedure_id}
      empty={tm('desk_none')}
    />
  );
}

export function FileForPage() {
  return (
    <div class="stack read">
      <PageTitle>{tm('file_for')}</PageTitle>
      <p>{tm('file_for_lead')}</p>
      <FileForm
        office
        send={async (values) => {
          const made = await command('post', '/api/v1/procedures', { body: inputForOf(values) });
          go(`/procedures/${made.procedure_id}`, { replace: true, state: 'sent' });
        }}
      />
    </div>
  );
}

/* ---- who was a member on a day ---- */

type Members = Answer<'/api/v1/members', 'get'>;
type Member = Members['items'][number];

export function MembersPage() {
  const { query } = here();
  const on = query.get('on') ?? '';
  const q = query.get('q') ?? '';
  const form = useForm({ on, q }, (values) => (!values.on || dayOf(values.on) ? {} : { on: tm('day_wrong') }));
  const pages = usePages<Member, Members>(
    (cursor, signal) =>
      call('get', '/api/v1/members', {
        query: { ...(on ? { on } : {}), ...(q ? { q } : {}), ...(cursor ? { cursor } : {}), limit: 50 },
        signal,
      }),
    [on, q],
  );
  return (
    <div class="stack wide">
      <PageTitle>{tm('members_title')}</PageTitle>
      <p>{tm('members_lead')}</p>
      <FormBox
        form={form}
        label={tm('members_title')}
        send={async (values) => setQuery({ on: dayOf(values.on) ?? '', q: values.q.trim() })}
      >
        <TextField
          id="on"
          size="short"
          label={tm('members_on')}
          value={form.values.on}
          error={form.errors['on']}
          onValue={(value) => form.set('on', value)}
        />
        <TextField id="q" size="middle" label={tm('members_q')} value={form.values.q} onValue={(value) => form.set('q', value)} />
        <div>
          <SendButton look="side" busy={form.busy}>
            {tm('members_find')}
          </SendButton>
        </div>
      </FormBox>
      <LoadBox from={pages}>
        {() => (
          <>
            <MemberTable items={pages.items} />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

function MemberTable({ items }: { items: Member[] }) {
  const columns: Column<Member>[] = [
    {
      id: 'name',
      label: tm('applicant'),
      head: true,
      cell: (item) => (
        <>
          {item.name}
          <br />
          <span class="soft">{item.name_kana}</span>
        </>
      ),
    },
    { id: 'register', label: tm('register_no'), kind: 'tight', cell: (item) => item.register_no },
    { id: 'mamis', label: tm('mamis_no'), kind: 'tight', cell: (item) => item.mamis_no },
    { id: 'layer', label: tm('layer'), cell: (item) => tmOf('layer', String(item.layer)) },
    {
      id: 'category',
      label: tm('category'),
      cell: (item) => (item.layer === 3 ? tmOf('cat', item.category) : item.category),
    },
    { id: 'from', label: tm('since'), kind: 'date', cell: (item) => dateText(item.valid_from) || tm('from_start') },
    { id: 'to', label: tm('until'), kind: 'date', cell: (item) => dateText(item.valid_to) },
  ];
  return (
    <Table
      caption={tm('members_list')}
      hideCaption
      columns={columns}
      rows={items}
      keyOf={(item) => `${item.register_no}${item.layer}${item.code}`}
      empty={tm('members_none')}
    />
  );
}
