// An office's desk: what waits there, oldest first, plain ones approved together; and the members.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { errorOf } from '../api/problem';
import type { Answer } from '../api/types';
import { Button, LinkButton, Notice, PageTitle, Tag } from '../parts/basics';
import { SelectField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { ListFoot, LoadBox, usePages } from '../parts/load';
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

/** Each is a command of its own, so one that cannot be approved holds up no other. */
async function approveAll(ids: string[]): Promise<{ done: number; failed: string[] }> {
  const result = { done: 0, failed: [] as string[] };
  for (const procedure_id of ids) {
    try {
      await command('post', '/api/v1/procedures/{procedure_id}/approve', { path: { procedure_id }, body: {} });
      result.done += 1;
    } catch (cause) {
      result.failed.push(errorOf(cause).problem.title);
    }
  }
  return result;
}

function Desk({ items, reload }: { items: ProcedureSummary[]; reload: () => void }) {
  const [chosen, setChosen] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ done: number; failed: string[] }>();
  const plain = items.filter((item) => item.mine && item.plain && item.stage !== 'returned');
  const ids = chosen.filter((id) => plain.some((item) => item.procedure_id === id));
  const choose = (id: string, on: boolean) => setChosen((old) => (on ? [...old, id] : old.filter((one) => one !== id)));
  const approve = async () => {
    setBusy(true);
    setSaid(await approveAll(ids));
    setChosen([]);
    setBusy(false);
    reload();
  };
  return (
    <>
      {said && <Outcome said={said} />}
      {plain.length > 0 && (
        <div class="row">
          <Button onClick={() => setChosen(plain.map((item) => item.procedure_id))}>{tm('bulk_all')}</Button>
          {ids.length > 0 && (
            <Button look="main" busy={busy} onClick={() => void approve()}>
              {tm('bulk', { n: ids.length })}
            </Button>
          )}
        </div>
      )}
      <DeskTable items={items} plain={plain} chosen={ids} choose={choose} />
    </>
  );
}

function Outcome({ said }: { said: { done: number; failed: string[] } }) {
  return (
    <Notice tone={said.failed.length > 0 ? 'warn' : 'good'} alert>
      <p>{tm('bulk_done', { n: said.done })}</p>
      {said.failed.length > 0 && (
        <p>{tm('bulk_failed', { n: said.failed.length, why: [...new Set(said.failed)].join('、') })}</p>
      )}
    </Notice>
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
