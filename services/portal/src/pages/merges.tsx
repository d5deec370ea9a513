// Two records of one doctor: who may be on record twice, proposals, and one of them to be decided.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { Button, Facts, Notice, PageTitle, Tag, type Tone } from '../parts/basics';
import { SelectField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { ListFoot, LoadBox, useLoad, usePages } from '../parts/load';
import { PairTable, type Pair, type Side } from '../parts/merge_pair';
import { ReasonDialog } from '../parts/reason_dialog';
import { Table } from '../parts/table';
import { go, here, setQuery } from '../router';
import { dateText, timeText } from '../text/format';
import { t } from '../text/messages';
import { tm } from '../text/merges';

type Merges = Answer<'/api/v1/merges', 'get'>;
type Merge = Merges['items'][number];
type Candidate = Answer<'/api/v1/merges/candidates', 'get'>['items'][number];

const STATES = ['open', 'confirmed', 'declined', 'withdrawn', 'expired'] as const;
const TONES: Record<Merge['state'], Tone> = { open: 'warn', confirmed: 'good', declined: 'plain', withdrawn: 'plain', expired: 'plain' };

const numbersOf = (pair: Pair) => ({ keep_register_no: pair.keep.register_no, close_register_no: pair.close.register_no });
const compare = (keep: string, close: string) =>
  call('post', '/api/v1/merges/comparison', { body: { keep_register_no: keep, close_register_no: close } });

const numbersText = ({ keep, close, renumber }: Merge): string =>
  renumber ? `${renumber.from} → ${renumber.to}` : [keep.register_no, close?.register_no].join('、');
const stateText = ({ state, renumber }: Merge): string => (renumber && state === 'confirmed' ? tm('number_confirmed') : tm(`state_${state}`));
/** The words of a merge, or those of another number. */
const words = ({ renumber }: Merge, name: 'confirm' | 'decline', part: '' | '_lead' | '_done' = '') => tm(`${renumber ? 'number_' : ''}${name}${part}`);

export function MergesPage() {
  const [pair, setPair] = useState<Pair>();
  const look = async (keep: string, close: string) => {
    setPair(await compare(keep, close));
    requestAnimationFrame(() => document.getElementById('merge-pair')?.focus());
  };
  return (
    <div class="stack wide">
      <div class="stack">
        <PageTitle>{tm('title')}</PageTitle>
        <p>{tm('lead')}</p>
      </div>
      <Proposals />
      <ByNumber look={look} />
      {pair && <Compared pair={pair} look={look} />}
      <Candidates look={look} />
    </div>
  );
}

function Proposals() {
  const state = STATES.find((name) => name === (here().query.get('state') ?? 'open'));
  const pages = usePages<Merge, Merges>(
    (cursor, signal) =>
      call('get', '/api/v1/merges', { query: { ...(state ? { state } : {}), ...(cursor ? { cursor } : {}), limit: 50 }, signal }),
    [state],
  );
  return (
    <section class="stack" aria-labelledby="merge-proposals">
      <h2 id="merge-proposals">{tm('proposals')}</h2>
      <SelectField
        id="state"
        label={t('review_filter')}
        value={state ?? 'all'}
        options={[['all', t('all')], ...STATES.map((name): [string, string] => [name, tm(`state_${name}`)])]}
        onValue={(value) => setQuery({ state: value })}
      />
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={tm('proposals')}
              hideCaption
              columns={[
                { id: 'at', label: tm('proposed'), kind: 'date', cell: (item) => timeText(item.proposed_at) },
                { id: 'name', label: t('name'), head: true, cell: (item) => <a href={`/merges/${item.merge_id}`}>{item.keep.name}</a> },
                { id: 'kind', label: tm('number_kind'), kind: 'tight', cell: (item) => tm(item.renumber ? 'kind_number' : 'kind_merge') },
                { id: 'numbers', label: tm('numbers'), cell: numbersText },
                { id: 'state', label: tm('state'), kind: 'tight', cell: (item) => <Tag tone={TONES[item.state]}>{stateText(item)}</Tag> },
              ]}
              rows={pages.items}
              keyOf={(item) => item.merge_id}
              empty={tm('proposals_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </section>
  );
}

type Look = (keep: string, close: string) => Promise<void>;

function ByNumber({ look }: { look: Look }) {
  const must = (value: string) => (value.trim() ? undefined : tm('must'));
  const form = useForm({ keep_register_no: '', close_register_no: '' }, (values) => ({
    keep_register_no: must(values.keep_register_no),
    close_register_no: must(values.close_register_no),
  }));
  const field = (id: 'keep_register_no' | 'close_register_no', label: string) => (
    <TextField
      id={id}
      need
      size="short"
      inputMode="numeric"
      max={30}
      label={label}
      value={form.values[id]}
      error={form.errors[id]}
      onValue={(value) => form.set(id, value)}
    />
  );
  return (
    <section class="stack" aria-labelledby="merge-by-number">
      <h2 id="merge-by-number">{tm('by_number')}</h2>
      <FormBox form={form} send={({ keep_register_no, close_register_no }) => look(keep_register_no.trim(), close_register_no.trim())}>
        {field('keep_register_no', tm('keep_no'))}
        {field('close_register_no', tm('close_no'))}
        <SendButton look="side" busy={form.busy}>
          {tm('compare')}
        </SendButton>
      </FormBox>
    </section>
  );
}

function Compared({ pair, look }: { pair: Pair; look: Look }) {
  const [asking, setAsking] = useState(false);
  async function propose(reason: string): Promise<void> {
    const made = await command('post', '/api/v1/merges', { body: { ...numbersOf(pair), reason } });
    go(`/merges/${(made as Merge).merge_id}`);
  }
  return (
    <section class="stack" aria-labelledby="merge-pair">
      <h2 id="merge-pair" tabIndex={-1}>
        {tm('pair')}
      </h2>
      <PairTable pair={pair} />
      <div class="row">
        <Button look="main" onClick={() => setAsking(true)}>
          {tm('propose')}
        </Button>
        <Button onClick={() => void look(pair.close.register_no, pair.keep.register_no)}>{tm('swap')}</Button>
      </div>
      {asking && (
        <ReasonDialog title={tm('propose')} action={tm('propose')} send={propose} close={() => setAsking(false)}>
          <p>{tm('propose_lead')}</p>
        </ReasonDialog>
      )}
    </section>
  );
}

function Candidates({ look }: { look: Look }) {
  const loaded = useLoad((signal) => call('get', '/api/v1/merges/candidates', { query: { limit: 100 }, signal }), []);
  const both = (item: Candidate, cell: (side: Side) => string) => [...new Set([cell(item.first), cell(item.second)])].join('、');
  return (
    <section class="stack" aria-labelledby="merge-candidates">
      <h2 id="merge-candidates">{tm('candidates')}</h2>
      <p>{tm('candidates_lead')}</p>
      <LoadBox from={loaded}>
        {({ items }) => (
          <Table
            caption={tm('candidates')}
            hideCaption
            columns={[
              { id: 'name', label: t('name'), head: true, cell: (item) => both(item, (side) => side.name) },
              { id: 'birth_on', label: t('birth_on'), kind: 'date', cell: (item) => both(item, (side) => (side.birth_on ? dateText(side.birth_on) : '')) },
              { id: 'numbers', label: tm('numbers'), cell: (item) => both(item, (side) => side.register_no) },
              { id: 'same', label: tm('same'), cell: (item) => tm(`same_${item.same}`) },
              {
                id: 'look',
                label: tm('compare'),
                kind: 'tight',
                cell: (item) => (
                  <Button label={tm('compare_of', { name: item.first.name })} onClick={() => void look(item.first.register_no, item.second.register_no)}>
                    {tm('compare')}
                  </Button>
                ),
              },
            ]}
            rows={items}
            keyOf={(item) => `${item.first.register_no} ${item.second.register_no}`}
            empty={tm('candidates_none')}
          />
        )}
      </LoadBox>
    </section>
  );
}

type Decision = 'confirm' | 'decline' | 'withdraw';

export function MergeOnePage({ id }: { id: string }) {
  const path = { merge_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/merges/{merge_id}', { path, signal }), [id]);
  const [asked, setAsked] = useState<'confirm' | 'decline'>();
  const [said, setSaid] = useState('');

  async function decide(decision: Decision, reason: string): Promise<void> {
    if (decision === 'confirm') await command('post', '/api/v1/merges/{merge_id}/confirm', { path, body: { reason } });
    else if (decision === 'decline') await command('post', '/api/v1/merges/{merge_id}/decline', { path, body: { reason } });
    else await command('post', '/api/v1/merges/{merge_id}/withdraw', { path, body: {} });
    const merge = await call('get', '/api/v1/merges/{merge_id}', { path });
    setSaid(decision === 'withdraw' ? tm('withdraw_done') : words(merge, decision, '_done'));
    setAsked(undefined);
    loaded.put(merge);
  }

  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(merge) => (
          <>
            <PageTitle tag={<Tag tone={TONES[merge.state]}>{stateText(merge)}</Tag>}>
              {tm(merge.renumber ? 'number_one' : 'one', { name: merge.keep.name })}
            </PageTitle>
            {said && (
              <Notice tone="good" alert>
                <p>{said}</p>
              </Notice>
            )}
            <MergeFacts merge={merge} />
            <PairTable pair={merge} />
            {merge.state === 'open' && <Actions merge={merge} ask={setAsked} withdraw={() => decide('withdraw', '')} />}
            {asked && (
              <ReasonDialog
                title={words(merge, asked)}
                action={words(merge, asked)}
                look={asked === 'confirm' ? 'main' : 'danger'}
                send={(reason) => decide(asked, reason)}
                close={() => setAsked(undefined)}
              >
                <p>{words(merge, asked, '_lead')}</p>
              </ReasonDialog>
            )}
          </>
        )}
      </LoadBox>
    </div>
  );
}

interface ActionsProps {
  merge: Merge;
  ask: (decision: 'confirm' | 'decline') => void;
  withdraw: () => Promise<void>;
}

function Actions({ merge, ask, withdraw }: ActionsProps) {
  const form = useForm({});
  if (merge.mine)
    return (
      <div class="stack">
        <p>{tm('mine')}</p>
        <FormBox form={form} send={withdraw}>
          <SendButton look="side" busy={form.busy}>
            {tm('withdraw')}
          </SendButton>
        </FormBox>
      </div>
    );
  return (
    <div class="row">
      {!merge.conflicts.some((one) => one.refuses) && (
        <Button look="main" onClick={() => ask('confirm')}>
          {words(merge, 'confirm')}
        </Button>
      )}
      <Button look="danger" onClick={() => ask('decline')}>
        {words(merge, 'decline')}
      </Button>
    </div>
  );
}

function MergeFacts({ merge }: { merge: Merge }) {
  const by = (at: string | null, name: string | null) => (at ? tm('by', { at: timeText(at), name: name ?? '' }) : '');
  return (
    <Facts
      rows={[
        [tm('number_from'), merge.renumber?.from],
        [tm('number_to'), merge.renumber?.to],
        [tm('number_day'), merge.renumber?.licensed_on && dateText(merge.renumber.licensed_on)],
        [tm('reason'), merge.reason],
        [tm('proposed'), by(merge.proposed_at, merge.proposed_by)],
        [tm('expires_at'), merge.state === 'open' && timeText(merge.expires_at)],
        [tm('decided'), by(merge.decided_at, merge.decided_by)],
        [tm('decided_reason'), merge.decided_reason],
      ]}
    />
  );
}
