// The end of clinical training: the change that follows in one press, or why it does not follow.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { Facts, Notice, PageTitle } from '../parts/basics';
import { AreaField, SendButton, TextField } from '../parts/fields';
import { MyFee } from '../parts/fees';
import { FormBox, useForm, type Form } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { DoctorFields } from '../parts/procedure_form';
import { go } from '../router';
import { dayOf } from '../text/days';
import { dateText } from '../text/format';
import { tm, tmOf } from '../text/membership';
import { t } from '../text/messages';

type Training = Answer<'/api/v1/me/training', 'get'>;
type Category = 'A2B' | 'B';

export function TrainingPage() {
  const loaded = useLoad((signal) => call('get', '/api/v1/me/training', { signal }), []);
  const [said, setSaid] = useState(false);
  return (
    <div class="stack read">
      <PageTitle>{tm('training_title')}</PageTitle>
      {said && (
        <Notice tone="good" alert>
          <p>{tm('training_dismissed')}</p>
        </Notice>
      )}
      <LoadBox from={loaded}>
        {(training) =>
          training.category ? (
            <Trainee
              training={training}
              done={(next) => {
                loaded.put(next);
                setSaid(true);
              }}
            />
          ) : (
            <p>{tm('training_none')}</p>
          )
        }
      </LoadBox>
    </div>
  );
}

function Trainee({ training, done }: { training: Training; done: (next: Training) => void }) {
  const { category, category_after, ends_on, ends_known, dismissed_at, dismissed_reason } = training;
  return (
    <>
      <Facts
        rows={[
          [tm('training_now'), tmOf('cat', category ?? '')],
          [tm('training_after'), tmOf('cat', category_after ?? '')],
          [tm('training_end'), `${dateText(ends_on)}${ends_on && !ends_known ? tm('training_reckoned') : ''}`],
          [tm('effective_on'), dateText(training.effective_on)],
        ]}
      />
      {dismissed_at && (
        <Notice tone="info" title={tm('training_stays')}>
          <p>{dismissed_reason}</p>
        </Notice>
      )}
      {training.offered ? <Change training={training} /> : <p>{tm('training_later')}</p>}
      {!dismissed_at && (
        <section class="stack" aria-labelledby="interrupted">
          <h2 id="interrupted">{tm('training_interrupted')}</h2>
          <p>{tm('training_interrupted_lead')}</p>
          <Dismiss done={done} />
        </section>
      )}
    </>
  );
}

/** The procedure ready-filled: one press files it. */
function Change({ training }: { training: Training }) {
  const form = useForm({});
  return (
    <FormBox
      form={form}
      send={async () => {
        const made = await command('post', '/api/v1/me/procedures', {
          body: {
            kind: 'change',
            effective_on: training.effective_on ?? '',
            category_l3: training.category_after as Category,
          },
        });
        go(`/me/procedures/${made.procedure_id}`, { state: 'sent' });
      }}
    >
      <MyFee category={training.category_after ?? ''} day={training.effective_on ?? ''} />
      {form.problem?.code === 'procedure_open' && (
        <p>
          <a href="/me/procedures">{tm('open_one')}</a>
        </p>
      )}
      <div>
        <SendButton busy={form.busy}>{tm('send')}</SendButton>
      </div>
    </FormBox>
  );
}

interface Why {
  reason: string;
  training_ends_on: string;
}

const checkWhy = (values: Why) => ({
  reason: values.reason.trim() ? undefined : t('must_fill', { field: tm('reason') }),
  training_ends_on: !values.training_ends_on || dayOf(values.training_ends_on) ? undefined : tm('day_wrong'),
});

function whyOf(values: Why): Why | { reason: string } {
  const reason = values.reason.trim();
  const day = dayOf(values.training_ends_on);
  return day ? { reason, training_ends_on: day } : { reason };
}

function Dismiss({ done }: { done: (next: Training) => void }) {
  const form = useForm<Why>({ reason: '', training_ends_on: '' }, checkWhy);
  return (
    <FormBox
      form={form}
      send={async (values) => done(await command('post', '/api/v1/me/training/dismiss', { body: whyOf(values) }))}
    >
      <WhyFields form={form} />
      <div>
        <SendButton look="side" busy={form.busy}>
          {tm('training_stay')}
        </SendButton>
      </div>
    </FormBox>
  );
}

function WhyFields<V extends Why>({ form }: { form: Form<V> }) {
  const { values, errors } = form;
  const set = form.set as (name: keyof Why, value: string) => void;
  return (
    <>
      <AreaField
        id="reason"
        need
        label={tm('reason')}
        max={500}
        value={values.reason}
        error={errors['reason']}
        onValue={(value) => set('reason', value)}
      />
      <TextField
        id="training_ends_on"
        size="short"
        label={tm('training_new_end')}
        hint={tm('training_new_end_hint')}
        value={values.training_ends_on}
        error={errors['training_ends_on']}
        onValue={(value) => set('training_ends_on', value)}
      />
    </>
  );
}

/** An office was told of it on paper or by telephone. */
export function TrainingForPage() {
  const empty = { register_no: '', birth_on: '', reason: '', training_ends_on: '' };
  const [said, setSaid] = useState(false);
  const form = useForm(empty, (values) => ({
    ...checkWhy(values),
    register_no: values.register_no.trim() ? undefined : t('must_fill', { field: tm('register_no') }),
    birth_on: dayOf(values.birth_on) ? undefined : t('birth_wrong'),
  }));
  return (
    <div class="stack read">
      <PageTitle>{tm('training_for')}</PageTitle>
      <p>{tm('training_interrupted_lead')}</p>
      {said && (
        <Notice tone="good" alert>
          <p>{tm('training_dismissed')}</p>
        </Notice>
      )}
      <FormBox
        form={form}
        send={async (values) => {
          setSaid(false);
          const body = {
            ...whyOf(values),
            register_no: values.register_no.normalize('NFKC').trim(),
            birth_on: dayOf(values.birth_on) ?? values.birth_on,
          };
          await command('post', '/api/v1/training/dismiss', { body });
          form.reset(empty);
          setSaid(true);
        }}
      >
        <DoctorFields form={form} />
        <WhyFields form={form} />
        <div>
          <SendButton busy={form.busy}>{tm('training_stay')}</SendButton>
        </div>
      </FormBox>
    </div>
  );
}
