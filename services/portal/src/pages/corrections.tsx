// Requests to correct what doctors cannot change themselves: asking, and an office's answers.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer, Body } from '../api/types';
import { Button, Facts, Notice, PageTitle, Tag, type Tone } from '../parts/basics';
import { AreaField, ChoiceField, SelectField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm, type Form, type Found } from '../parts/form';
import { ListFoot, LoadBox, useLoad, usePages } from '../parts/load';
import { here, setQuery } from '../router';
import { dayOf } from '../text/days';
import { dateText, timeText } from '../text/format';
import { t, tOf } from '../text/messages';

type List = Answer<'/api/v1/corrections', 'get'>;
type Correction = List['items'][number];
type Field = Body<'/api/v1/me/corrections', 'post'>['field'];
type AnswerBody = Body<'/api/v1/corrections/{correction_id}/answer', 'post'>;
type Outcome = AnswerBody['outcome'];
type State = Correction['state'];

const FIELDS: Field[] = ['register_no', 'licensed_on', 'birth_on', 'name', 'membership', 'certificate', 'other'];
const TONES: Record<State, Tone> = { open: 'warn', done: 'good', refused: 'plain' };
const PAGE_ITEMS = 50;

type Value = Correction['changes'][number]['field'];
/** What the answer writes down; of other fields it changes nothing. */
const VALUES: Partial<Record<Field, Value[]>> = {
  name: ['name', 'name_kana'],
  birth_on: ['birth_on'],
  licensed_on: ['licensed_on'],
};
const isDay = (field: Value) => field === 'birth_on' || field === 'licensed_on';
const labelOf = (field: Value): string => (field === 'licensed_on' ? t('wrong_licensed_on') : t(field));
const shown = (field: Value, value: string): string => (isDay(field) ? dateText(value) : value) || '-';

export function MyCorrectionsPage() {
  const loaded = useLoad((signal) => call('get', '/api/v1/me/corrections', { signal }), []);
  return (
    <div class="stack wide read">
      <div class="stack">
        <PageTitle>{t('corrections_title')}</PageTitle>
        <p>{t('corrections_lead')}</p>
      </div>
      <AskForm done={loaded.reload} />
      <LoadBox from={loaded}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{t('corrections_none')}</p>
          ) : (
            <div class="stack">
              {items.map((item) => (
                <CorrectionCard key={item.correction_id} item={item} />
              ))}
            </div>
          )
        }
      </LoadBox>
    </div>
  );
}

function AskForm({ done }: { done: () => void }) {
  const [sent, setSent] = useState(false);
  const empty = { field: 'register_no' as Field, text: '' };
  const form = useForm(empty, ({ text }) => ({
    text: text.trim() ? undefined : t('must_fill', { field: t('correction_text') }),
  }));
  return (
    <section class="stack" aria-labelledby="correction-new">
      <h2 id="correction-new">{t('correction_new')}</h2>
      {sent && (
        <Notice tone="good" alert>
          <p>{t('correction_sent')}</p>
        </Notice>
      )}
      <FormBox
        form={form}
        send={async ({ field, text }) => {
          setSent(false);
          await command('post', '/api/v1/me/corrections', { body: { field, text: text.trim() } });
          form.reset(empty);
          setSent(true);
          done();
        }}
      >
        <SelectField
          id="field"
          label={t('correction_field')}
          value={form.values.field}
          error={form.errors['field']}
          options={FIELDS.map((name) => [name, tOf('wrong', name)])}
          onValue={(value) => form.set('field', value as Field)}
        />
        <AreaField
          id="text"
          need
          max={1000}
          label={t('correction_text')}
          value={form.values.text}
          error={form.errors['text']}
          onValue={(value) => form.set('text', value)}
        />
        <div>
          <SendButton busy={form.busy}>{t('correction_send')}</SendButton>
        </div>
      </FormBox>
    </section>
  );
}

function CorrectionCard({ item, changed }: { item: Correction; changed?: () => void }) {
  const { doctor } = item;
  const [open, setOpen] = useState(false);
  const id = `correction-${item.correction_id}`;
  return (
    <section class="card stack" aria-labelledby={id}>
      <div class="row between">
        <h2 id={id}>{tOf('wrong', item.field)}</h2>
        <Tag tone={TONES[item.state]}>{tOf('correction', item.state)}</Tag>
      </div>
      {doctor && (
        <Facts
          rows={[
            [t('name'), `${doctor.name}（${doctor.name_kana}）`],
            [t('register_no'), <span class="num">{doctor.register_no}</span>],
            [t('mamis_no'), doctor.mamis_no && <span class="num">{doctor.mamis_no}</span>],
          ]}
        />
      )}
      <p class="said">{item.text}</p>
      <Facts
        rows={[
          [t('correction_asked'), timeText(item.asked_at)],
          [t('correction_answer'), item.answer && <span class="said">{item.answer}</span>],
          [t('correction_answered'), timeText(item.answered_at)],
          [t('correction_answered_by'), item.answered_by && tOf('role', item.answered_by)],
          ...item.changes.map(({ field, before, after }): [string, string] => [
            labelOf(field),
            t('correction_changed', { before: shown(field, before), after: shown(field, after) }),
          ]),
        ]}
      />
      {changed && doctor && item.state === 'open' && !open && (
        <div>
          <Button label={t('correction_answer_of', { name: doctor.name })} onClick={() => setOpen(true)}>
            {t('correction_answer_open')}…
          </Button>
        </div>
      )}
      {changed && open && <AnswerForm item={item} close={() => setOpen(false)} done={changed} />}
    </section>
  );
}

type AnswerValues = Record<Value, string> & { outcome: Outcome | ''; answer: string };

/** What is wrong with the values that the answer has to carry. */
function checkValues(values: AnswerValues, asked: Value[]): Found {
  const found: Found = {};
  for (const field of asked) {
    if (!values[field].trim()) found[field] = t('must_fill', { field: labelOf(field) });
    else if (isDay(field) && !dayOf(values[field])) found[field] = t('birth_wrong');
  }
  return found;
}

/** What is right, as the field of the request wants it; else what is to be done elsewhere. */
function RightValues({ form, field, asked }: { form: Form<AnswerValues>; field: Field; asked: Value[] }) {
  if (!VALUES[field]) {
    return (
      <Notice tone="info">
        <p>{tOf('correct', field)}</p>
      </Notice>
    );
  }
  return (
    <>
      {asked.map((name) => (
        <TextField
          key={name}
          id={name}
          need
          size={isDay(name) ? 'short' : 'middle'}
          label={t('correction_right', { field: labelOf(name) })}
          value={form.values[name]}
          error={form.errors[name]}
          onValue={(value) => form.set(name, value)}
        />
      ))}
    </>
  );
}

function AnswerForm({ item, close, done }: { item: Correction; close: () => void; done: () => void }) {
  const asked = VALUES[item.field] ?? [];
  const empty: AnswerValues = {
    outcome: '',
    answer: '',
    name: item.doctor?.name ?? '',
    name_kana: item.doctor?.name_kana ?? '',
    birth_on: '',
    licensed_on: '',
  };
  const form = useForm(empty, (values) => ({
    outcome: values.outcome ? undefined : t('must_fill', { field: t('correction_outcome') }),
    answer: values.answer.trim() ? undefined : t('must_fill', { field: t('correction_answer_text') }),
    ...(values.outcome === 'done' ? checkValues(values, asked) : {}),
  }));
  return (
    <FormBox
      form={form}
      label={t('correction_answer_of', { name: item.doctor?.name ?? '' })}
      send={async (values) => {
        const path = { correction_id: item.correction_id };
        const body: AnswerBody = { outcome: values.outcome as Outcome, answer: values.answer.trim() };
        if (values.outcome === 'done')
          for (const name of asked)
            body[name] = (isDay(name) && dayOf(values[name])) || values[name].trim();
        await command('post', '/api/v1/corrections/{correction_id}/answer', { path, body });
        close();
        done();
      }}
    >
      <ChoiceField
        id="outcome"
        need
        legend={t('correction_outcome')}
        value={form.values.outcome}
        options={[
          ['done', t('correction_done')],
          ['refused', t('correction_refused')],
        ]}
        error={form.errors['outcome']}
        onValue={(value) => form.set('outcome', value as Outcome)}
      />
      {form.values.outcome === 'done' && <RightValues form={form} field={item.field} asked={asked} />}
      <AreaField
        id="answer"
        need
        max={1000}
        label={t('correction_answer_text')}
        value={form.values.answer}
        error={form.errors['answer']}
        onValue={(value) => form.set('answer', value)}
      />
      <div class="row">
        <SendButton busy={form.busy}>{t('correction_answer_send')}</SendButton>
        <Button look="text" onClick={close}>
          {t('cancel')}
        </Button>
      </div>
    </FormBox>
  );
}

export function CorrectionsPage() {
  const state = here().query.get('state') ?? 'open';
  const pages = usePages<Correction, List>(
    (cursor, signal) =>
      call('get', '/api/v1/corrections', {
        query: { state: state as State, limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) },
        signal,
      }),
    [state],
  );
  return (
    <div class="stack wide read">
      <PageTitle>{t('corrections_title')}</PageTitle>
      <SelectField
        id="state"
        label={t('correction_state')}
        value={state}
        options={(['open', 'done', 'refused'] as const).map((name) => [name, tOf('correction', name)])}
        onValue={(value) => setQuery({ state: value })}
      />
      <LoadBox from={pages}>
        {() => (
          <>
            {pages.items.length === 0 && <p>{t('corrections_none')}</p>}
            {pages.items.map((item) => (
              <CorrectionCard key={item.correction_id} item={item} changed={pages.reload} />
            ))}
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}
