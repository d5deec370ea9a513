// Filing a procedure: the same fields for a doctor and for an office that got a paper.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import type { components } from '../gen/api';
import { dayOf } from '../text/days';
import { tm, tmOf } from '../text/membership';
import { t } from '../text/messages';
import { Notice } from './basics';
import { DraftButton, DraftNotice, useDrafts } from './draft';
import { MyFee } from './fees';
import { AreaField, ChoiceField, SelectField, SendButton, TextField } from './fields';
import { FormBox, useForm, type Form, type Found } from './form';
import { useLoad } from './load';
import { CATEGORY_FIELDS, DATA_FIELDS, emptyValues, type Field, type Input, type InputFor, type Values } from './procedure_values';

type Association = components['schemas']['Associations']['items'][number];

const DOCTOR_KINDS: InputFor['kind'][] = [
  'admission',
  'change',
  'transfer',
  'withdrawal_all',
  'withdrawal_l2_l3',
  'withdrawal_l3',
];
const ENDS: InputFor['kind'][] = ['death', 'revocation'];
const CATEGORIES = ['A1', 'A2B', 'A2C', 'B', 'C'];
const MAX: Record<(typeof DATA_FIELDS)[number], number> = {
  name: 120,
  name_kana: 200,
  former_name: 120,
  former_name_kana: 200,
  workplace_name: 200,
  workplace_postcode: 8,
  workplace_address: 300,
  phone: 20,
};

/** Fields that are empty are left as they are. */
export function wishesOf(values: Values, fields: readonly Field[]): Partial<Record<Field, string>> {
  const wishes: Partial<Record<Field, string>> = {};
  for (const field of fields) if (values[field].trim()) wishes[field] = values[field].trim();
  return wishes;
}

const isEnd = (kind: string) => kind === 'death' || kind === 'revocation';
const hasTarget = (kind: string) => kind === 'admission' || kind === 'transfer';

function fieldsOf(values: Values): Field[] {
  if (values.kind === 'admission') return CATEGORY_FIELDS.slice(0, Number(values.depth));
  if (values.kind === 'transfer') return [...CATEGORY_FIELDS, 'workplace_name', 'workplace_postcode', 'workplace_address', 'phone'];
  return values.kind === 'change' ? [...CATEGORY_FIELDS, ...DATA_FIELDS] : [];
}

const LEAVES_L3 = ['withdrawal_all', 'withdrawal_l2_l3', 'withdrawal_l3', 'revocation'];

/** R-MEM-07; an office does not see the category before it files, so it is told in any case. */
const losesInsurance = (values: Values, category: string | undefined): boolean =>
  LEAVES_L3.includes(values.kind)
    ? category === undefined || category.startsWith('A')
    : values.kind !== 'admission' && ['B', 'C'].includes(values.category_l3);

function check(values: Values, office: boolean): Found {
  const must = (field: 'register_no' | 'l1_code' | 'reason' | 'category_l3') =>
    values[field].trim() ? undefined : t('must_fill', { field: tm(field) });
  return {
    register_no: office ? must('register_no') : undefined,
    birth_on: office && !dayOf(values.birth_on) ? t('birth_wrong') : undefined,
    l1_code: hasTarget(values.kind) ? must('l1_code') : undefined,
    category_l3: values.kind === 'admission' && values.depth === '3' ? must('category_l3') : undefined,
    effective_on: dayOf(values.effective_on) ? undefined : tm('day_wrong'),
    reason: isEnd(values.kind) ? must('reason') : undefined,
  };
}

export function inputOf(values: Values): Input {
  const reason = values.reason.trim();
  return {
    kind: values.kind as Input['kind'],
    effective_on: dayOf(values.effective_on) ?? values.effective_on,
    ...(values.kind === 'admission' ? { depth: Number(values.depth) } : {}),
    ...(hasTarget(values.kind) ? { l1_code: values.l1_code } : {}),
    ...(reason ? { reason } : {}),
    ...wishesOf(values, fieldsOf(values)),
  } as Input;
}

export const inputForOf = (values: Values): InputFor => ({
  ...inputOf(values),
  kind: values.kind,
  register_no: values.register_no.normalize('NFKC').trim(),
  birth_on: dayOf(values.birth_on) ?? values.birth_on,
});

interface FileFormProps {
  office?: boolean;
  /** The doctor's own at the national association; '' when he is none of its members. */
  category?: string;
  send: (values: Values) => Promise<void>;
  /** Shown below a refusal. */
  refused?: (code: string) => ComponentChildren;
}

export function FileForm({ office = false, category, send, refused }: FileFormProps) {
  const form = useForm(emptyValues('admission'), (values) => check(values, office));
  const drafts = useDrafts(form, !office);
  const { values, errors, set } = form;
  const kinds = office ? [...DOCTOR_KINDS, ...ENDS] : DOCTOR_KINDS;
  return (
    <div class="stack">
      {!office && <DraftNotice drafts={drafts} />}
      <FormBox form={form} send={(sent) => drafts.hold(() => send(sent))}>
        {form.problem && refused?.(form.problem.code)}
        {office && <DoctorFields form={form} />}
        <SelectField
          id="kind"
          label={tm('kind')}
          value={values.kind}
          options={kinds.map((kind) => [kind, tmOf('kind', kind)])}
          error={errors['kind']}
          onValue={(value) => set('kind', value as Values['kind'])}
        />
        {values.kind === 'admission' && (
          <ChoiceField
            id="depth"
            legend={tm('depth')}
            value={values.depth}
            options={['1', '2', '3'].map((depth) => [depth, tmOf('depth', depth)])}
            error={errors['depth']}
            onValue={(value) => set('depth', value)}
          />
        )}
        {hasTarget(values.kind) && <TargetField form={form} />}
        {!office && fieldsOf(values).includes('category_l3') && (
          <MyFee category={values.category_l3} day={values.effective_on} />
        )}
        {losesInsurance(values, category) && (
          <Notice tone="warn">
            <p>{tm('insurance')}</p>
          </Notice>
        )}
        <WishFields form={form} fields={fieldsOf(values)} need={values.kind === 'admission' && values.depth === '3'} />
        <TextField
          id="effective_on"
          size="short"
          need
          label={tm('effective_on')}
          hint={tm(office ? 'effective_hint_office' : 'effective_hint')}
          value={values.effective_on}
          error={errors['effective_on']}
          onValue={(value) => set('effective_on', value)}
        />
        <AreaField
          id="reason"
          need={isEnd(values.kind)}
          label={tm('reason')}
          max={500}
          value={values.reason}
          error={errors['reason']}
          onValue={(value) => set('reason', value)}
        />
        <div class="row">
          <SendButton busy={form.busy}>{tm('send')}</SendButton>
          {!office && <DraftButton drafts={drafts} />}
        </div>
      </FormBox>
    </div>
  );
}

interface Named {
  register_no: string;
  birth_on: string;
}

/** Number and date of birth together name the doctor. */
export function DoctorFields<V extends Named>({ form }: { form: Form<V> }) {
  const { values, errors } = form;
  const set = form.set as (name: keyof Named, value: string) => void;
  return (
    <>
      <TextField
        id="register_no"
        size="short"
        need
        inputMode="numeric"
        max={12}
        label={tm('register_no')}
        value={values.register_no}
        error={errors['register_no']}
        onValue={(value) => set('register_no', value)}
      />
      <TextField
        id="birth_on"
        size="short"
        need
        label={tm('birth_on')}
        value={values.birth_on}
        error={errors['birth_on']}
        onValue={(value) => set('birth_on', value)}
      />
    </>
  );
}

function TargetField({ form }: { form: Form<Values> }) {
  const loaded = useLoad((signal) => call('get', '/api/v1/associations', { signal }), []);
  const [words, setWords] = useState('');
  const fits = ({ code, name }: Association) =>
    code === form.values.l1_code || code.startsWith(words.trim()) || name.includes(words.trim());
  const found = (loaded.data?.items ?? []).filter(fits);
  return (
    <>
      <TextField id="l1_words" size="middle" label={tm('l1_search')} value={words} onValue={setWords} />
      <SelectField
        id="l1_code"
        need
        label={tm('l1_code')}
        value={form.values.l1_code}
        options={[
          ['', tm('choose')],
          ...found.map(({ code, name }): [string, string] => [code, name ? `${name}（${code}）` : code]),
        ]}
        error={form.errors['l1_code']}
        onValue={(value) => form.set('l1_code', value)}
      />
    </>
  );
}

/** Categories and data; what is left empty stays as it is. */
export function WishFields(props: { form: Form<Values>; fields: readonly Field[]; need?: boolean }) {
  const { values, errors, set } = props.form;
  return (
    <>
      {props.fields.map((field) =>
        field === 'category_l3' ? (
          <SelectField
            key={field}
            id={field}
            need={props.need}
            label={tm(field)}
            value={values[field]}
            options={[
              ['', props.need ? tm('choose') : tm('category_keep')],
              ...CATEGORIES.map((category): [string, string] => [category, tmOf('cat', category)]),
            ]}
            error={errors[field]}
            onValue={(value) => set(field, value)}
          />
        ) : (
          <TextField
            key={field}
            id={field}
            size="middle"
            max={field in MAX ? MAX[field as keyof typeof MAX] : 20}
            label={tm(field)}
            hint={field === 'category_l1' ? tm('category_hint') : field === 'name' ? tm('change_hint') : undefined}
            value={values[field]}
            error={errors[field]}
            onValue={(value) => set(field, value)}
          />
        ),
      )}
    </>
  );
}
