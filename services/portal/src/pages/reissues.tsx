// New temporary credentials: a prefectural office asks for them, the desk issues them or refuses.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { may } from '../gen/access';
import { Button, Facts, Notice, PageTitle, Tag, type Tone } from '../parts/basics';
import { AreaField, SelectField, SendButton } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { ListFoot, LoadBox, usePages } from '../parts/load';
import { DoctorFields } from '../parts/procedure_form';
import { ReasonDialog } from '../parts/reason_dialog';
import { here, setQuery } from '../router';
import { session } from '../session';
import { dayOf } from '../text/days';
import { td } from '../text/desk';
import { timeText } from '../text/format';
import { t, tOf } from '../text/messages';

type List = Answer<'/api/v1/reissues', 'get'>;
type Item = List['items'][number];

const TONES: Record<Item['state'], Tone> = { open: 'warn', done: 'good', refused: 'plain' };
const PAGE_ITEMS = 50;

export function ReissuesPage() {
  const role = session()?.account.role ?? '';
  const state = here().query.get('state') ?? 'open';
  const [said, setSaid] = useState('');
  const pages = usePages<Item, List>(
    (cursor, signal) =>
      call('get', '/api/v1/reissues', {
        query: { state: state as Item['state'], limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) },
        signal,
      }),
    [state],
  );
  const done = (text: string) => {
    setSaid(text);
    pages.reload();
  };
  return (
    <div class="stack wide read">
      <PageTitle>{td('reissues_title')}</PageTitle>
      {said && (
        <Notice tone="good" alert>
          <p>{said}</p>
        </Notice>
      )}
      {may(role, 'reissue_ask') && <AskForm done={done} />}
      <SelectField
        id="state"
        label={t('correction_state')}
        value={state}
        options={(['open', 'done', 'refused'] as const).map((name) => [name, td(`reissues_${name}`)])}
        onValue={(value) => setQuery({ state: value })}
      />
      <LoadBox from={pages}>
        {() => (
          <>
            {pages.items.length === 0 && <p>{td('reissues_none')}</p>}
            {pages.items.map((item) => (
              <ReissueCard key={item.reissue_id} item={item} done={done} acts={may(role, 'account_desk')} />
            ))}
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

function AskForm({ done }: { done: (text: string) => void }) {
  const empty = { register_no: '', birth_on: '', reason: '' };
  const form = useForm(empty, (values) => ({
    register_no: values.register_no.trim() ? undefined : t('must_fill', { field: t('register_no') }),
    birth_on: dayOf(values.birth_on) ? undefined : t('birth_wrong'),
    reason: values.reason.trim() ? undefined : td('reason_must'),
  }));
  return (
    <section class="stack" aria-labelledby="ask">
      <h2 id="ask">{td('reissues_ask')}</h2>
      <p>{td('reissues_lead')}</p>
      <FormBox
        form={form}
        send={async ({ register_no, birth_on, reason }) => {
          const number = register_no.normalize('NFKC').trim();
          const body = { register_no: number, birth_on: dayOf(birth_on) ?? birth_on, reason: reason.trim() };
          await command('post', '/api/v1/reissues', { body });
          form.reset(empty);
          done(td('reissues_asked'));
        }}
      >
        <DoctorFields form={form} />
        <AreaField
          id="reason"
          need
          max={500}
          label={td('reason')}
          value={form.values.reason}
          error={form.errors['reason']}
          onValue={(value) => form.set('reason', value)}
        />
        <div>
          <SendButton busy={form.busy}>{td('reissues_send')}</SendButton>
        </div>
      </FormBox>
    </section>
  );
}

function ReissueCard({ item, acts, done }: { item: Item; acts: boolean; done: (text: string) => void }) {
  const [asked, setAsked] = useState<'reissue' | 'reissue_refuse'>();
  const id = `reissue-${item.reissue_id}`;
  const { doctor, account_id } = item;
  async function run(reason: string): Promise<void> {
    if (asked === 'reissue') {
      const path = { account_id: account_id ?? '' };
      done(td('reissue_done', await command('post', '/api/v1/desk/accounts/{account_id}/reissue', { path, body: { reason } })));
    } else {
      const path = { reissue_id: item.reissue_id };
      await command('post', '/api/v1/reissues/{reissue_id}/refuse', { path, body: { reason } });
      done(td('reissue_refuse_done'));
    }
  }
  return (
    <section class="card stack" aria-labelledby={id}>
      <div class="row between">
        <h2 id={id}>{doctor.name}</h2>
        <Tag tone={TONES[item.state]}>{td(`reissues_${item.state}`)}</Tag>
      </div>
      <Facts
        rows={[
          [t('register_no'), <span class="num">{doctor.register_no}</span>],
          [t('mamis_no'), doctor.mamis_no && <span class="num">{doctor.mamis_no}</span>],
          [td('reason'), <span class="said">{item.reason}</span>],
          [t('correction_asked'), timeText(item.asked_at)],
          [t('correction_answer'), item.answer && <span class="said">{item.answer}</span>],
          [t('correction_answered'), timeText(item.answered_at)],
          [t('correction_answered_by'), item.answered_by && tOf('role', item.answered_by)],
        ]}
      />
      {acts && item.state === 'open' && (
        <div class="row">
          {(['reissue', 'reissue_refuse'] as const).map((action) => (
            <Button key={action} label={td('reissue_of', { name: doctor.name, action: td(action) })} onClick={() => setAsked(action)}>
              {td(action)}…
            </Button>
          ))}
        </div>
      )}
      {asked && (
        <ReasonDialog title={td(asked)} action={td(asked)} look="danger" send={run} close={() => setAsked(undefined)}>
          <p>{td(`${asked}_lead`)}</p>
        </ReasonDialog>
      )}
    </section>
  );
}
