// Forms: values, errors at their field and in a summary that takes the focus.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { errorOf, fieldOfPointer, type Problem } from '../api/problem';
import { t, type Key } from '../text/messages';
import { BadIcon } from './icons';

export type Errors = Record<string, string>;
/** What a check gives back: a field that is right may stand there without a text. */
export type Found = Record<string, string | undefined>;

export interface Form<V> {
  values: V;
  set<K extends keyof V>(name: K, value: V[K]): void;
  errors: Errors;
  problem: Problem | null;
  /** Counts failed tries, so that the summary takes the focus each time. */
  failed: number;
  busy: boolean;
  /** Runs `send` unless the values are wrong or a send is under way. */
  submit(send: (values: V) => Promise<void>): Promise<void>;
  reset(values: V): void;
}

/** Names of fields that the server's sentences quote, as the page calls them. */
const LABELS: Record<string, Key> = {
  login_id: 'login_id',
  password: 'new_password',
  email: 'email',
  name: 'name',
  name_kana: 'name_kana',
  former_name: 'former_name',
  former_name_kana: 'former_name_kana',
  sex: 'sex',
  birth_on: 'birth_on',
  workplace_name: 'workplace_name',
  workplace_postcode: 'workplace_postcode',
  workplace_address: 'workplace_address',
  phone: 'phone_no',
  half_units: 'hand_units',
  last_on: 'hand_last',
  until: 'return_until',
  reason: 'return_reason',
};

function named(sentence: string, field: string): string {
  const name = field.split('-').pop() ?? '';
  const label = LABELS[name];
  if (!label) return sentence;
  return sentence.replace(`「${name}」`, `「${t(label)}」`).replace(`"${name}"`, `"${t(label)}"`);
}

/** Problems that are about one field whatever the request was. */
const FIELDS: Record<string, string> = { reason_required: 'reason' };

/** Says which of the summary's lines belong to a field of the page, by the problem's pointers. */
export function errorsOf(problem: Problem): Errors {
  const errors: Errors = {};
  const about = FIELDS[problem.code];
  if (about) errors[about] = problem.detail;
  for (const error of problem.errors) {
    const field = error.pointer ? fieldOfPointer(error.pointer) : (error.parameter ?? '');
    if (field && !errors[field]) errors[field] = named(error.detail, field);
  }
  return errors;
}

export function useForm<V extends object>(initial: V, check?: (values: V) => Found): Form<V> {
  const [values, setValues] = useState(initial);
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [failed, setFailed] = useState(0);
  const [busy, setBusy] = useState(false);
  const running = useRef(false);

  async function submit(send: (values: V) => Promise<void>): Promise<void> {
    if (running.current) return;
    const found: Errors = {};
    for (const [field, text] of Object.entries(check?.(values) ?? {})) if (text) found[field] = text;
    setErrors(found);
    setProblem(null);
    if (Object.keys(found).length > 0) {
      setFailed((count) => count + 1);
      return;
    }
    running.current = true;
    setBusy(true);
    try {
      await send(values);
    } catch (cause) {
      const given = errorOf(cause).problem;
      setErrors(errorsOf(given));
      setProblem(given);
      setFailed((count) => count + 1);
    } finally {
      running.current = false;
      setBusy(false);
    }
  }

  return {
    values,
    errors,
    problem,
    failed,
    busy,
    submit,
    set: (name, value) => setValues((old) => ({ ...old, [name]: value })),
    reset: (next) => {
      setValues(next);
      setErrors({});
      setProblem(null);
    },
  };
}

interface FormBoxProps<V> {
  form: Form<V>;
  send: (values: V) => Promise<void>;
  children: ComponentChildren;
  label?: string;
}

export function FormBox<V>({ form, send, children, label }: FormBoxProps<V>) {
  return (
    <form
      class="stack"
      noValidate
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(send);
      }}
    >
      <ErrorSummary problem={form.problem} errors={form.errors} failed={form.failed} />
      {children}
    </form>
  );
}

interface SummaryProps {
  problem: Problem | null;
  errors: Errors;
  failed: number;
}

export function ErrorSummary({ problem, errors, failed }: SummaryProps) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (failed > 0) box.current?.focus();
  }, [failed]);
  const fields = Object.entries(errors);
  if (!problem && fields.length === 0) return null;
  // A field error that only repeats the problem's sentence is said once.
  const sentence = problem && !fields.some(([, text]) => text.startsWith(problem.detail)) ? problem.detail : '';
  return (
    <div class="notice bad" ref={box} tabIndex={-1} role="group" aria-labelledby={id}>
      <BadIcon />
      <div class="body">
        <p class="strong" id={id}>
          {problem?.title ?? t('fix_fields', { n: fields.length })}
        </p>
        {sentence && <p>{sentence}</p>}
        {sentence && problem?.cure && <p>{problem.cure}</p>}
        {fields.length > 0 && (
          <ul>
            {fields.map(([field, text]) => (
              <li key={field}>
                <FieldLink field={field} text={text} />
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

function FieldLink({ field, text }: { field: string; text: string }) {
  if (!document.getElementById(field)) return <>{text}</>;
  return (
    <a
      href={`#${field}`}
      onClick={(event) => {
        event.preventDefault();
        document.getElementById(field)?.focus();
      }}
    >
      {text}
    </a>
  );
}
