// The table for a few attendees. What is wrong is told at its line; lines that are done stay, and
// only the others are sent again.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { errorOf, type ApiError } from '../api/problem';
import { HAND_ROWS_MAX, judgedRows, sendRows, type Judged } from '../api/send_rows';
import type { components } from '../gen/api';
import { columnName, type Column } from '../sheet/columns';
import { numberText } from '../text/format';
import { t } from '../text/messages';
import { Announce, Button, Notice } from './basics';
import { CheckField } from './fields';
import { HandRow } from './hand_row';
import { isDone, needsFixing, newLine, pasted, rowsOf, toSend, withOutcomes, type Line } from './hand_lines';
import { ProblemNotice } from './load';
import { WaitNote } from './wait';

type Seminar = components['schemas']['Seminar'];

const FIRST_LINES = 3;
const firstLines = (): Line[] => {
  const lines: Line[] = [];
  while (lines.length < FIRST_LINES) lines.push(newLine(lines));
  return lines;
};
const fileName = (): string => t('hand_file', { at: new Date().toLocaleTimeString('en-GB').replace(/\D/g, '') });
const inputOf = (line: number, column: number) => document.getElementById(`hand-${line}-${column}`);

function useLines() {
  const [lines, setLines] = useState(firstLines);
  /** Where the focus goes once the page shows the change: [place of the line, of the column]. */
  const focus = useRef<[number, number]>();
  // Before the next key is pressed.
  useLayoutEffect(() => {
    if (focus.current) inputOf(...focus.current)?.focus();
    focus.current = undefined;
  }, [lines]);
  return {
    lines,
    setLines,
    change: (id: number, column: Column, value: string) =>
      setLines((old) => old.map((line) => (line.id === id ? { ...line, cells: { ...line.cells, [column]: value }, row: null } : line))),
    add: () => {
      focus.current = [lines.length, 0];
      setLines([...lines, newLine(lines)]);
    },
    remove: (at: number) => {
      focus.current = [Math.min(at, Math.max(0, lines.length - 2)), 0];
      setLines(lines.length > 1 ? lines.filter((_, place) => place !== at) : [newLine([])]);
    },
    renew: () => {
      focus.current = [0, 0];
      setLines(firstLines());
    },
  };
}

export function HandTable({ seminar }: { seminar: Seminar }) {
  const { lines, setLines, change, add, remove, renew } = useLines();
  const [times, setTimes] = useState(false);
  const [kinds, setKinds] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState('');
  const [error, setError] = useState<ApiError>();
  const [judged, setJudged] = useState<Judged>();
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const columns: Column[] = [
    ...(seminar.sessions.length > 1 ? (['session_no'] as const) : []),
    'register_no',
    'mamis_no',
    'name_kana',
    ...(times ? (['entered_at', 'left_at'] as const) : []),
    ...(kinds ? (['kind', 'units', 'attended'] as const) : []),
  ];

  async function send(): Promise<void> {
    if (busy) return;
    const sent = toSend(lines, columns);
    setError(undefined);
    setWrong(sent.length === 0 ? t('hand_nothing') : '');
    if (sent.length === 0) {
      inputOf(0, 0)?.focus();
      return;
    }
    setBusy(true);
    setJudged(undefined);
    try {
      const id = await sendRows(seminar.seminar_no, rowsOf(sent, columns), fileName());
      const result = await judgedRows(id, stop.current.signal);
      setLines((now) => withOutcomes(now, sent, result.rows));
      setJudged(result);
    } catch (cause) {
      if (!stop.current.signal.aborted) setError(errorOf(cause));
    } finally {
      setBusy(false);
    }
  }

  const full = lines.length >= HAND_ROWS_MAX;
  const next = (at: number, column: number) => {
    if (at + 1 < lines.length) inputOf(at + 1, column)?.focus();
    else if (!full) add();
  };
  return (
    <form
      class="stack"
      noValidate
      aria-label={t('hand_table')}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p>{t('hand_how_to')}</p>
      <CheckField id="hand-times" label={t('hand_more')} value={times} onValue={setTimes} />
      <CheckField id="hand-kinds" label={t('hand_kinds')} value={kinds} onValue={setKinds} />
      {kinds && <p class="soft">{t('hand_kinds_hint')}</p>}
      <div class="table-box">
        <table class="stacked entry" role="table">
          <caption class="sr">{t('hand_table')}</caption>
          <thead role="rowgroup">
            <tr role="row">
              {[t('hand_line'), ...columns.map(columnName), t('hand_result'), ''].map((label, at) => (
                <th key={at} scope="col" role="columnheader">
                  {label || <span class="sr">{t('hand_remove')}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {lines.map((line, at) => (
              <HandRow
                key={line.id}
                line={line}
                at={at}
                columns={columns}
                sessions={seminar.sessions}
                busy={busy}
                onValue={(column, value) => change(line.id, column, value)}
                onEnter={(column) => next(at, column)}
                onPaste={(column, text) => setLines((old) => pasted(old, at, column, columns, text, HAND_ROWS_MAX))}
                onRemove={() => remove(at)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {full && <p>{t('hand_full', { n: HAND_ROWS_MAX })}</p>}
      {wrong && (
        <p class="error-text" role="alert">
          {wrong}
        </p>
      )}
      {error && (
        <div class="stack tight">
          <ProblemNotice error={error} />
          <WaitNote error={error} />
        </div>
      )}
      {judged && <Summary judged={judged} lines={lines} />}
      <Announce text={busy ? t('hand_judging') : ''} />
      <div class="row">
        <Button submit look="main" busy={busy}>
          {busy ? t('hand_judging') : t(lines.some(isDone) ? 'hand_send_rest' : 'hand_send')}
        </Button>
        {!full && (
          <Button busy={busy} onClick={add}>
            {t('hand_add')}
          </Button>
        )}
        {lines.some(isDone) && (
          <Button look="text" busy={busy} onClick={renew}>
            {t('hand_new')}
          </Button>
        )}
      </div>
    </form>
  );
}

function Summary({ judged, lines }: { judged: Judged; lines: Line[] }) {
  const { problem, upload_id } = judged.upload;
  const [done, fix] = [lines.filter(isDone).length, lines.filter(needsFixing).length];
  const values = { done: numberText(done), fix: numberText(fix) };
  return (
    <Notice tone={problem ? 'bad' : fix > 0 ? 'warn' : 'good'} title={problem?.title} alert>
      {problem ? (
        <p>
          {problem.detail} {problem.cure}
        </p>
      ) : (
        <p class="strong">{t(fix > 0 ? 'hand_done' : 'hand_all_done', values)}</p>
      )}
      {fix > 0 && <p>{t('hand_again')}</p>}
      <p>
        <a href={`/uploads/${upload_id}`}>{t('hand_upload')}</a>
      </p>
    </Notice>
  );
}
