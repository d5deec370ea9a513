// Drafts of procedures: saved by a button and on leaving, found again on any device, thrown away.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../api/client';
import { errorOf, type Problem } from '../api/problem';
import type { components } from '../gen/api';
import { dateText, timeText } from '../text/format';
import { tm, tmOf } from '../text/membership';
import { Button, LinkButton, Notice, Tag } from './basics';
import { Dialog } from './dialog';
import { SendButton } from './fields';
import { FormBox, useForm, type Form } from './form';
import { useLoad } from './load';
import { CATEGORY_FIELDS, DATA_FIELDS, emptyValues, type Values } from './procedure_values';

type Draft = components['schemas']['ProcedureDraft'];
type DraftForm = components['schemas']['ProcedureForm'];

const TYPED = ['l1_code', 'effective_on', 'reason', ...CATEGORY_FIELDS, ...DATA_FIELDS] as const;

function formOf(values: Values): DraftForm {
  const typed = TYPED.filter((field) => values[field] !== '').map((field) => [field, values[field]]);
  return { depth: Number(values.depth), ...Object.fromEntries(typed) } as DraftForm;
}

function valuesOf(draft: Draft): Values {
  const { depth, ...typed } = draft.form;
  return { ...emptyValues(draft.kind), ...typed, ...(depth ? { depth: String(depth) } : {}) };
}

const textOf = (values: Values): string => JSON.stringify([values.kind, formOf(values)]);

const readDrafts = (signal: AbortSignal) => call('get', '/api/v1/me/procedure-drafts', { signal });

export interface Drafts {
  items: Draft[];
  said: string;
  problem: Problem | undefined;
  busy: boolean;
  isHere(draft: Draft): boolean;
  save(): Promise<void>;
  resume(draft: Draft): void;
  drop(draft: Draft): Promise<void>;
  /** Nothing is saved while the form is sent, nor after it went well. */
  hold(send: () => Promise<void>): Promise<void>;
}

/** What the form goes on from is named with each save, so that an old page overwrites nothing. */
export function useDrafts(form: Form<Values>, enabled: boolean): Drafts {
  const loaded = useLoad((signal) => (enabled ? readDrafts(signal) : Promise.resolve({ items: [] })), []);
  const items: Draft[] = loaded.data?.items ?? [];
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const here = useRef<Partial<Record<Values['kind'], Draft>>>({});
  const kept = useRef(textOf(form.values));
  const held = useRef(false);
  const running = useRef<Promise<unknown>>(Promise.resolve());
  const latest = useRef({ values: form.values, items });
  latest.current = { values: form.values, items };

  const others = (draft: Draft) => latest.current.items.filter((item) => item.kind !== draft.kind);

  async function put(keepalive: boolean): Promise<void> {
    await running.current.catch(() => undefined);
    const values = latest.current.values;
    const kind = values.kind as Draft['kind'];
    const body = { kind, version: here.current[kind]?.version ?? 0, form: formOf(values) };
    const draft = await call('put', '/api/v1/me/procedure-drafts', { body, keepalive });
    here.current[kind] = draft;
    kept.current = textOf(values);
    loaded.put({ items: [draft, ...others(draft)] });
  }
  const start = (keepalive: boolean) => (running.current = put(keepalive)) as Promise<void>;

  async function save(): Promise<void> {
    setBusy(true);
    setProblem(undefined);
    setSaid('');
    try {
      await start(false);
      setSaid(tm('draft_saved'));
    } catch (cause) {
      setProblem(errorOf(cause).problem);
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    if (!enabled) return;
    const leave = () => {
      const values = latest.current.values;
      const blank = !here.current[values.kind] && textOf(values) === textOf(emptyValues(values.kind));
      if (!held.current && !blank && textOf(values) !== kept.current) void start(true).catch(() => undefined);
    };
    const hide = () => {
      if (document.visibilityState === 'hidden') leave();
    };
    addEventListener('pagehide', leave);
    document.addEventListener('visibilitychange', hide);
    return () => {
      removeEventListener('pagehide', leave);
      document.removeEventListener('visibilitychange', hide);
      leave();
    };
  }, [enabled]);

  return {
    items,
    said,
    problem,
    busy,
    save,
    isHere: (draft) => here.current[draft.kind]?.draft_id === draft.draft_id,
    resume: (draft) => {
      const values = valuesOf(draft);
      here.current[draft.kind] = draft;
      kept.current = textOf(values);
      form.reset(values);
      setSaid('');
      document.getElementById('kind')?.focus();
    },
    drop: async (draft) => {
      await call('delete', '/api/v1/me/procedure-drafts/{draft_id}', { path: { draft_id: draft.draft_id } });
      delete here.current[draft.kind];
      if (latest.current.values.kind === draft.kind) {
        const values = emptyValues(draft.kind);
        kept.current = textOf(values);
        form.reset(values);
      }
      loaded.put({ items: others(draft) });
      setSaid(tm('draft_dropped'));
    },
    hold: async (send) => {
      held.current = true;
      try {
        await running.current.catch(() => undefined);
        await send();
      } catch (cause) {
        held.current = false;
        throw cause;
      }
    },
  };
}

/** What is kept, above the form. */
export function DraftNotice({ drafts }: { drafts: Drafts }) {
  const [asked, setAsked] = useState<Draft>();
  return (
    <>
      {drafts.said && (
        <Notice tone="good" alert>
          <p>{drafts.said}</p>
        </Notice>
      )}
      {drafts.problem && (
        <Notice tone="bad" title={drafts.problem.title} alert>
          <p>{drafts.problem.detail}</p>
          <p>{drafts.problem.cure}</p>
        </Notice>
      )}
      {drafts.items.length > 0 && (
        <Notice tone="info" title={tm('drafts_there')}>
          <p>{tm('drafts_lead')}</p>
          <ul>
            {drafts.items.map((draft) => (
              <li key={draft.draft_id} class="row">
                <DraftLine draft={draft} />
                {drafts.isHere(draft) ? (
                  <Tag>{tm('draft_here')}</Tag>
                ) : (
                  <Button
                    label={tm('draft_go_of', { kind: tmOf('kind', draft.kind) })}
                    onClick={() => drafts.resume(draft)}
                  >
                    {tm('draft_go')}
                  </Button>
                )}
                <Button
                  look="text"
                  label={tm('draft_drop_of', { kind: tmOf('kind', draft.kind) })}
                  onClick={() => setAsked(draft)}
                >
                  {tm('draft_drop')}…
                </Button>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {asked && <DropDialog draft={asked} drop={drafts.drop} close={() => setAsked(undefined)} />}
    </>
  );
}

function DraftLine({ draft }: { draft: Draft }) {
  const values = { kind: tmOf('kind', draft.kind), at: timeText(draft.saved_at), until: dateText(draft.expires_at) };
  return <span>{tm('draft_line', values)}</span>;
}

interface DropProps {
  draft: Draft;
  drop: Drafts['drop'];
  close: () => void;
}

function DropDialog({ draft, drop, close }: DropProps) {
  const form = useForm({});
  return (
    <Dialog title={tm('draft_drop')} onClose={close}>
      <p>{tm('draft_sure', { kind: tmOf('kind', draft.kind) })}</p>
      <FormBox
        form={form}
        send={async () => {
          await drop(draft);
          close();
        }}
      >
        <div class="row">
          <SendButton look="danger" busy={form.busy}>
            {tm('draft_drop')}
          </SendButton>
          <Button look="text" onClick={close}>
            {tm('keep')}
          </Button>
        </div>
      </FormBox>
    </Dialog>
  );
}

export function DraftButton({ drafts }: { drafts: Drafts }) {
  return (
    <Button busy={drafts.busy} onClick={() => void drafts.save()}>
      {tm('draft_save')}
    </Button>
  );
}

/** On the page of one's procedures: there is something to go on with. */
export function DraftsThere() {
  const drafts = useLoad(readDrafts, []).data?.items ?? [];
  if (drafts.length === 0) return null;
  return (
    <Notice tone="info" title={tm('drafts_there')}>
      <p>{tm('drafts_lead')}</p>
      <ul>
        {drafts.map((draft) => (
          <li key={draft.draft_id}>
            <DraftLine draft={draft} />
          </li>
        ))}
      </ul>
      <p>
        <LinkButton href="/me/procedures/new">{tm('draft_open')}</LinkButton>
      </p>
    </Notice>
  );
}
