// A doctor's memberships and procedures: the list, filing one, and one of them.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { Button, LinkButton, Notice, PageTitle } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { DraftsThere } from '../parts/draft';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { Changes, ProcedureFacts, ProcedureHistory, RouteLine, StageTag } from '../parts/procedure';
import type { Procedure, ProcedureSummary } from '../parts/procedure';
import { FileForm, WishFields, inputOf, wishesOf } from '../parts/procedure_form';
import { CATEGORY_FIELDS, DATA_FIELDS, emptyValues } from '../parts/procedure_values';
import { Table, type Column } from '../parts/table';
import { go } from '../router';
import { dayOf } from '../text/days';
import { dateText } from '../text/format';
import { tm, tmOf } from '../text/membership';

type Membership = Answer<'/api/v1/me/memberships', 'get'>['items'][number];

export function MyMembershipPage() {
  const memberships = useLoad((signal) => call('get', '/api/v1/me/memberships', { signal }), []);
  const procedures = useLoad((signal) => call('get', '/api/v1/me/procedures', { signal }), []);
  return (
    <div class="stack wide">
      <div class="row between">
        <PageTitle>{tm('mine_title')}</PageTitle>
        <LinkButton look="main" href="/me/procedures/new">
          {tm('file_new')}
        </LinkButton>
      </div>
      <DraftsThere />
      <LoadBox from={memberships}>{({ items }) => <Memberships items={items} />}</LoadBox>
      <LoadBox from={procedures}>{({ items }) => <MyTable items={items} />}</LoadBox>
    </div>
  );
}

function Memberships({ items }: { items: Membership[] }) {
  const past = items.filter((item) => item.valid_to);
  const now = items.filter((item) => !item.valid_to);
  return (
    <>
      <TrainingEnds />
      <section class="stack" aria-labelledby="present">
        <h2 id="present">{tm('present')}</h2>
        <MembershipTable caption={tm('present')} items={now} />
      </section>
      {past.length > 0 && (
        <section class="stack" aria-labelledby="past">
          <h2 id="past">{tm('past')}</h2>
          <MembershipTable caption={tm('past')} items={past} />
        </section>
      )}
    </>
  );
}

function MembershipTable({ caption, items }: { caption: string; items: Membership[] }) {
  const columns: Column<Membership>[] = [
    {
      id: 'layer',
      label: tm('layer'),
      head: true,
      cell: (item) => (
        <>
          {tmOf('layer', String(item.layer))}
          {item.code && (
            <>
              <br />
              <span class="soft">{item.association ? `${item.association}（${item.code}）` : item.code}</span>
            </>
          )}
          {!item.primary && <span class="soft"> {tm('secondary')}</span>}
        </>
      ),
    },
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
      caption={caption}
      hideCaption
      columns={columns}
      rows={items}
      keyOf={(item) => `${item.layer}${item.code}${item.valid_from}`}
      empty={tm('no_member')}
    />
  );
}

/** R-MEM-08: who is in training chooses in time what follows. */
function TrainingEnds() {
  const training = useLoad((signal) => call('get', '/api/v1/me/training', { signal }), []).data;
  if (!training?.offered || training.dismissed_at) return null;
  return (
    <Notice tone="info" title={tm('training_ends')}>
      <p>{tm('training_lead', { to: tmOf('cat', training.category_after ?? ''), day: dateText(training.effective_on) })}</p>
      <p>
        <LinkButton href="/me/training">{tm('training_open')}</LinkButton>
      </p>
    </Notice>
  );
}

function MyTable({ items }: { items: ProcedureSummary[] }) {
  const columns: Column<ProcedureSummary>[] = [
    {
      id: 'kind',
      label: tm('kind'),
      head: true,
      cell: (item) => <a href={`/me/procedures/${item.procedure_id}`}>{tmOf('kind', item.kind)}</a>,
    },
    { id: 'submitted', label: tm('submitted_at'), kind: 'date', cell: (item) => dateText(item.submitted_at) },
    { id: 'effective', label: tm('effective_on'), kind: 'date', cell: (item) => dateText(item.effective_on) },
    { id: 'stage', label: tm('route'), cell: (item) => <StageTag stage={item.stage} /> },
  ];
  return (
    <section class="stack" aria-labelledby="filed">
      <h2 id="filed">{tm('title')}</h2>
      <Table
        caption={tm('title')}
        hideCaption
        columns={columns}
        rows={items}
        keyOf={(item) => item.procedure_id}
        empty={tm('mine_none')}
      />
    </section>
  );
}

export function FilePage() {
  const memberships = useLoad((signal) => call('get', '/api/v1/me/memberships', { signal }), []);
  const national = memberships.data?.items.find((item) => item.layer === 3 && !item.valid_to);
  return (
    <div class="stack read">
      <PageTitle>{tm('file_new')}</PageTitle>
      <FileForm
        category={memberships.data && (national?.category ?? '')}
        refused={(code) =>
          code === 'procedure_open' && (
            <p>
              <a href="/me/procedures">{tm('open_one')}</a>
            </p>
          )
        }
        send={async (values) => {
          const made = await command('post', '/api/v1/me/procedures', { body: inputOf(values) });
          go(`/me/procedures/${made.procedure_id}`, { replace: true, state: 'sent' });
        }}
      />
    </div>
  );
}

const FIRST = ['l1_review', 'l1_receive', 'old_l1_release', 'returned'];

export function MyProcedurePage({ id }: { id: string }) {
  const path = { procedure_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/me/procedures/{procedure_id}', { path, signal }), [id]);
  const [said, setSaid] = useState(history.state === 'sent' ? tm('sent') : '');
  const done = (text: string) => (next: Procedure) => {
    loaded.put(next);
    setSaid(text);
  };
  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(procedure) => (
          <>
            <PageTitle tag={<StageTag stage={procedure.stage} />}>
              {tm('own_title', { kind: tmOf('kind', procedure.kind) })}
            </PageTitle>
            {said && (
              <Notice tone="good" alert>
                <p>{said}</p>
              </Notice>
            )}
            <RouteLine procedure={procedure} />
            <Told procedure={procedure} />
            {procedure.stage === 'returned' && !procedure.by_office && (
              <Again procedure={procedure} done={done(tm('resent'))} />
            )}
            <div class="read">
              <ProcedureFacts procedure={procedure} />
            </div>
            <Changes procedure={procedure} />
            {FIRST.includes(procedure.stage) && !procedure.by_office && (
              <Cancel procedure={procedure} done={done(tm('cancelled'))} />
            )}
            <ProcedureHistory history={procedure.history} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

/** Why it was rejected, and what holds all the same. */
function Told({ procedure }: { procedure: Procedure }) {
  if (procedure.stage !== 'rejected' && procedure.stage !== 'partial') return null;
  return (
    <Notice tone={procedure.stage === 'partial' ? 'warn' : 'bad'} title={tmOf('stage', procedure.stage)}>
      {procedure.stage === 'partial' && (
        <p>{tm('partial', { layer: tmOf('layer', String(procedure.granted)) })}</p>
      )}
      <p>{procedure.reason}</p>
    </Notice>
  );
}

interface ActProps {
  procedure: Procedure;
  done: (next: Procedure) => void;
}

function Again({ procedure, done }: ActProps) {
  const initial = emptyValues('change');
  const fields = [...CATEGORY_FIELDS, ...DATA_FIELDS].filter((field) =>
    procedure.changes.some((change) => change.field === field),
  );
  for (const change of procedure.changes) {
    const field = fields.find((name) => name === change.field);
    if (field) initial[field] = change.after;
  }
  initial.effective_on = procedure.effective_on;
  const form = useForm(initial, (values) => (dayOf(values.effective_on) ? {} : { effective_on: tm('day_wrong') }));
  const path = { procedure_id: procedure.procedure_id };
  return (
    <Notice tone="warn" title={tm('returned')}>
      <p>{procedure.reason}</p>
      <p>{tm('returned_lead')}</p>
      <FormBox
        form={form}
        send={async (values) => {
          const day = dayOf(values.effective_on);
          const body = { ...wishesOf(values, fields), ...(day ? { effective_on: day } : {}) } as object;
          done(await command('post', '/api/v1/me/procedures/{procedure_id}/resubmit', { path, body }));
        }}
      >
        <WishFields form={form} fields={fields} />
        <TextField
          id="effective_on"
          size="short"
          need
          label={tm('effective_on')}
          hint={tm('effective_hint')}
          value={form.values.effective_on}
          error={form.errors['effective_on']}
          onValue={(value) => form.set('effective_on', value)}
        />
        <div>
          <SendButton busy={form.busy}>{tm('again')}</SendButton>
        </div>
      </FormBox>
    </Notice>
  );
}

function Cancel({ procedure, done }: ActProps) {
  const [open, setOpen] = useState(false);
  const form = useForm({});
  const path = { procedure_id: procedure.procedure_id };
  return (
    <div>
      <Button look="danger" onClick={() => setOpen(true)}>
        {tm('cancel')}…
      </Button>
      {open && (
        <Dialog title={tm('cancel')} onClose={() => setOpen(false)}>
          <p>{tm('cancel_sure')}</p>
          <FormBox
            form={form}
            send={async () => {
              const next = await command('post', '/api/v1/me/procedures/{procedure_id}/cancel', { path, body: {} });
              setOpen(false);
              done(next);
            }}
          >
            <div class="row">
              <SendButton look="danger" busy={form.busy}>
                {tm('cancel')}
              </SendButton>
              <Button look="text" onClick={() => setOpen(false)}>
                {tm('keep')}
              </Button>
            </div>
          </FormBox>
        </Dialog>
      )}
    </div>
  );
}
