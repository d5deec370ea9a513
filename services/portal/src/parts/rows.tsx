// Rows of an upload: counts by outcome that are also the filter, and for each row what is wrong,
// with which value, and how to put it right.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import type { Upload } from '../api/progress';
import type { Answer } from '../api/types';
import { setQuery } from '../router';
import { numberText, timeText } from '../text/format';
import { codeTitle, t } from '../text/messages';
import { RowCredits } from './corrections';
import { LoadBox, ListFoot, usePages } from './load';
import { canFix, RowFix } from './row_fix';
import { RowSearch, type RowWish } from './row_search';
import { Table, type Column } from './table';

type Rows = Answer<'/api/v1/uploads/{upload_id}/rows', 'get'>;
type Row = Rows['items'][number];
export type Outcome = Row['outcome'];

export const OUTCOMES: Outcome[] = ['posted', 'already_posted', 'waiting', 'rejected', 'unmatched', 'absent'];
const TONES: Partial<Record<Outcome, string>> = {
  posted: 'good',
  rejected: 'bad',
  unmatched: 'bad',
  waiting: 'warn',
};
const ROWS_A_PAGE = 100;

interface TilesProps {
  counts: Upload['counts'];
  /** Undefined while the counts are no filter yet. */
  shown: Outcome | undefined;
  searching?: boolean;
}

export function OutcomeTiles({ counts, shown, searching }: TilesProps) {
  return (
    <ul class="tiles">
      {OUTCOMES.map((outcome) => {
        const count = counts[outcome];
        const body = (
          <>
            <span>{codeTitle(outcome)}</span>
            <b class="num">{numberText(count)}</b>
          </>
        );
        const look = `tile ${count > 0 ? (TONES[outcome] ?? '') : ''}`;
        return (
          <li key={outcome}>
            {shown ? (
              <button
                type="button"
                class={look}
                aria-pressed={outcome === shown && !searching}
                onClick={() => setQuery({ outcome, reason: '', q: '' })}
              >
                {body}
              </button>
            ) : (
              <div class={look}>{body}</div>
            )}
          </li>
        );
      })}
    </ul>
  );
}

interface RowListProps {
  upload: Upload;
  outcome: Outcome;
  wish: RowWish;
  /** Of the reason that is wished for. */
  group: { title: string; rows: number } | undefined;
  onFixed: () => void;
}

/** What was searched for is looked for in all rows, whatever became of them. */
export function RowList({ upload, outcome, wish, group, onFixed }: RowListProps) {
  // A row that was mended stays where it was, as it is now.
  const [fixed, setFixed] = useState<Record<number, Row>>({});
  const path = { upload_id: upload.upload_id };
  const query = wish.q ? { q: wish.q } : { outcome, reason: wish.reason };
  const pages = usePages<Row, Rows>(
    (cursor, signal) =>
      call('get', '/api/v1/uploads/{upload_id}/rows', {
        path,
        query: { ...query, cursor, limit: ROWS_A_PAGE },
        signal,
      }),
    [upload.upload_id, outcome, wish.q, wish.reason],
  );
  const rows = pages.items.map((row) => fixed[row.row_no] ?? row);
  const take = (row: Row) => {
    setFixed((others) => ({ ...others, [row.row_no]: row }));
    onFixed();
  };
  const title = wish.q
    ? t('find_title', { q: wish.q })
    : group
      ? t('rows_of_reason', { title: group.title, n: numberText(group.rows) })
      : t('outcome_n', { outcome: codeTitle(outcome), n: numberText(upload.counts[outcome]) });
  return (
    <section class="stack" aria-labelledby="rows">
      <h2 id="rows">{title}</h2>
      <RowSearch wish={wish} />
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={title}
              hideCaption
              columns={[...columns(rows, wish.q !== ''), ...creditColumn(upload, rows), ...fixColumn(upload, rows, take)]}
              rows={rows}
              keyOf={(row) => row.row_no}
              empty={t('rows_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </section>
  );
}

function columns(rows: Row[], mixed: boolean): Column<Row>[] {
  const list: Column<Row>[] = [
    {
      id: 'row',
      label: t('row'),
      head: true,
      kind: 'tight',
      cell: (row) => (
        <>
          <span class="num strong">{numberText(row.row_no)}</span>
          <br />
          <span class="soft num">{t('row_at', { line: numberText(row.line_no) })}</span>
        </>
      ),
    },
    {
      id: 'doctor',
      label: t('doctor_of_row'),
      cell: (row) =>
        row.register_no || row.name_kana ? (
          <>
            {row.register_no && <div class="num">{row.register_no}</div>}
            {row.name_kana && <div>{row.name_kana}</div>}
          </>
        ) : null,
    },
  ];
  if (mixed) list.push({ id: 'outcome', label: t('outcome'), kind: 'tight', cell: (row) => codeTitle(row.outcome) });
  const wrong = rows.some((row) => row.problems.length > 0 || row.reason || row.same_as_row !== null);
  if (wrong || rows.some((row) => row.notes.length > 0))
    list.push({
      id: 'problem',
      label: t(wrong ? 'problem_and_cure' : 'notes_of_row'),
      wide: true,
      cell: (row) => <Problems row={row} />,
    });
  return list;
}

/** What a row posted can be looked at, and taken back. */
function creditColumn(upload: Upload, rows: Row[]): Column<Row>[] {
  if (upload.dry_run || !rows.some((row) => row.outcome === 'posted')) return [];
  const cell = (row: Row) => row.outcome === 'posted' && <RowCredits upload={upload} rowNo={row.row_no} />;
  return [{ id: 'credits', label: t('row_credits'), cell }];
}

/** Only where there is something to mend, or to say about it. */
function fixColumn(upload: Upload, rows: Row[], onFixed: (row: Row) => void): Column<Row>[] {
  const open = canFix(upload) && rows.some((row) => row.outcome !== 'posted' && row.outcome !== 'already_posted');
  if (!open && !rows.some((row) => row.fixed)) return [];
  const cell = (row: Row) => <RowFix key={row.row_no} upload={upload} row={row} onFixed={onFixed} />;
  return [{ id: 'fix', label: t('fix_row'), cell }];
}

/** What is wrong or why nothing posted, then what is no problem of the row. */
export function Problems({ row }: { row: Row }) {
  return (
    <>
      {row.problems.length > 0 ? <ProblemList problems={row.problems} /> : row.reason && codeTitle(row.reason)}
      {row.same_as_row !== null && <p>{t('same_as', { n: numberText(row.same_as_row) })}</p>}
      {row.waits_until && <p>{t('waits_until', { at: timeText(row.waits_until) })}</p>}
      {row.notes.length > 0 && <ProblemList problems={row.notes} />}
    </>
  );
}

function ProblemList({ problems }: { problems: Row['problems'] }) {
  return (
    <ul class="problems">
      {problems.map((problem, index) => (
        <li key={index}>
          <p class="strong">{codeTitle(problem.code)}</p>
          {problem.column && (
            <p>
              {t('column_value', { column: problem.column })}:{' '}
              <span class="value">{problem.value || t('value_empty')}</span>
            </p>
          )}
          <p>{problem.detail}</p>
          <p>
            <span class="soft">{t('cure')}:</span> {problem.cure}
          </p>
        </li>
      ))}
    </ul>
  );
}
