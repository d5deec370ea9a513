// Reading data for a page: while it comes, when it fails, and lists that continue by cursor.
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { errorOf, type ApiError } from '../api/problem';
import { lang } from '../text/lang';
import { numberText } from '../text/format';
import { t } from '../text/messages';
import { Button, Notice, PageTitle } from './basics';

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
  reload: () => void;
  /** Puts in what a command answered, without reading again. */
  put: (data: T) => void;
}

/** Reads again when `deps` or the language change; keeps the old data on the page meanwhile. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, deps: unknown[]): Loaded<T> {
  const [data, setData] = useState<T>();
  const [error, setError] = useState<ApiError>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    read(stop.signal).then(
      (next) => {
        if (stop.signal.aborted) return;
        setData(next);
        setError(undefined);
      },
      (cause) => {
        if (!stop.signal.aborted) setError(errorOf(cause));
      },
    );
    return () => stop.abort();
  }, [...deps, turn, lang()]);
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  return { data, error, reload, put: setData };
}

interface LoadBoxProps<T> {
  from: Loaded<T>;
  children: (data: T) => ComponentChildren;
  /** The page's title stands inside, so a failure needs one of its own. */
  titled?: boolean;
}

export function LoadBox<T>({ from, children, titled }: LoadBoxProps<T>) {
  if (from.error)
    return (
      <div class="stack">
        {titled && from.data === undefined && <PageTitle>{from.error.problem.title}</PageTitle>}
        <ProblemNotice error={from.error} />
        {from.error.problem.status !== 404 && (
          <div>
            <Button onClick={from.reload}>{t('try_again')}</Button>
          </div>
        )}
        {from.data !== undefined && children(from.data)}
      </div>
    );
  if (from.data === undefined)
    return (
      <p class="soft" role="status">
        {t('loading')}
      </p>
    );
  return <>{children(from.data)}</>;
}

export function ProblemNotice({ error }: { error: ApiError }) {
  const { problem } = error;
  return (
    <Notice tone="bad" title={problem.title} alert>
      <p>{problem.detail}</p>
      {problem.cure && <p>{problem.cure}</p>}
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map((item) => (
            <li key={`${item.pointer ?? item.parameter}${item.code}`}>{item.detail}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

interface Page<T> {
  items: T[];
  next_cursor?: string | null | undefined;
}

export interface Pages<T, P extends Page<T>> extends Loaded<P> {
  items: T[];
  more: (() => void) | undefined;
  busy: boolean;
}

/** A list read page by page: `read('')` is the first, `more` adds the next below it. */
export function usePages<T, P extends Page<T>>(
  read: (cursor: string, signal: AbortSignal) => Promise<P>,
  deps: unknown[],
): Pages<T, P> {
  const first = useLoad((signal) => read('', signal), deps);
  const [further, setFurther] = useState<{ after: P; items: T[]; next: string | null }>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const running = useRef(false);
  const start = first.data;
  const mine = further && further.after === start ? further : undefined;
  const next = mine ? mine.next : (start?.next_cursor ?? null);

  async function more(): Promise<void> {
    if (running.current || !start || !next) return;
    running.current = true;
    setBusy(true);
    try {
      const page = await read(next, new AbortController().signal);
      setFurther({
        after: start,
        items: [...(mine?.items ?? []), ...page.items],
        next: page.next_cursor ?? null,
      });
      setError(undefined);
    } catch (cause) {
      setError(errorOf(cause));
    } finally {
      running.current = false;
      setBusy(false);
    }
  }

  return {
    ...first,
    error: first.error ?? error,
    items: [...(start?.items ?? []), ...(mine?.items ?? [])],
    more: next ? () => void more() : undefined,
    busy,
  };
}

/** Under a list: how much of it is shown, spoken when it changes, and the button for more. */
export function ListFoot<T, P extends Page<T>>({ pages }: { pages: Pages<T, P> }) {
  const count = useRef<HTMLParagraphElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    // The button that had the focus is gone: the focus stays at the list's end.
    if (asked.current && !pages.more) count.current?.focus();
  }, [pages.more === undefined]);
  const n = numberText(pages.items.length);
  return (
    <div class="row between noprint">
      <p ref={count} class="soft num" role="status" tabIndex={-1}>
        {pages.items.length > 0 && t(pages.more ? 'shown_part' : 'shown_all', { n })}
      </p>
      {pages.more && (
        <Button
          busy={pages.busy}
          onClick={() => {
            asked.current = true;
            pages.more?.();
          }}
        >
          {pages.busy ? t('loading') : t('show_more')}
        </Button>
      )}
    </div>
  );
}
