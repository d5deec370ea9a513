// Rows of an upload: counts by outcome that are also the filter, counts by reason, and for each
// row what is wrong, with which value, and how to put it right.
import { call } from '../api/client';
import type { Upload } from '../api/progress';
import type { Answer } from '../api/types';
import { setQuery } from '../router';
import { numberText } from '../text/format';
import { codeTitle, t } from '../text/messages';
import { LoadBox, ListFoot, usePages } from './load';
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
const REASONS_SHOWN = 6;

export function OutcomeTiles({ counts, shown }: { counts: Upload['counts']; shown: Outcome | undefined }) {
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
                aria-pressed={outcome === shown}
                onClick={() => setQuery({ outcome })}
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

export function RowList({ upload, outcome }: { upload: Upload; outcome: Outcome }) {
  const path = { upload_id: upload.upload_id };
  const pages = usePages<Row, Rows>(
    (cursor, signal) =>
      call('get', '/api/v1/uploads/{upload_id}/rows', {
        path,
        query: { outcome, cursor, limit: ROWS_A_PAGE },
        signal,
      }),
    [upload.upload_id, outcome],
  );
  const title = t('outcome_n', { outcome: codeTitle(outcome), n: numberText(upload.counts[outcome]) });
  return (
    <section class="stack" aria-labelledby="rows">
      <h2 id="rows">{title}</h2>
      <LoadBox from={pages}>
        {() => (
          <>
            <Reasons rows={pages.items} all={!pages.more} />
            <Table
              caption={title}
              hideCaption
              columns={columns(pages.items)}
              rows={pages.items}
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

/** Counted over the rows that are on the page; says so when more follow. */
function Reasons({ rows, all }: { rows: Row[]; all: boolean }) {
  const counts = new Map<string, number>();
  for (const row of rows) if (row.reason) counts.set(row.reason, (counts.get(row.reason) ?? 0) + 1);
  if (counts.size === 0) return null;
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const rest = sorted.slice(REASONS_SHOWN);
  return (
    <div class="card soft-ground stack tight">
      <h3>
        {t('reasons')}
        {!all && <span class="soft"> ({t('reasons_part', { n: numberText(rows.length) })})</span>}
      </h3>
      <ReasonList reasons={sorted.slice(0, REASONS_SHOWN)} />
      {rest.length > 0 && (
        <details>
          <summary>{t('reasons_more', { n: rest.length })}</summary>
          <ReasonList reasons={rest} />
        </details>
      )}
    </div>
  );
}

function ReasonList({ reasons }: { reasons: [reason: string, count: number][] }) {
  return (
    <ul class="reasons">
      {reasons.map(([reason, count]) => (
        <li key={reason}>
          <span>{codeTitle(reason)}</span>
          <span class="num strong">{t('rows_n', { n: numberText(count) })}</span>
        </li>
      ))}
    </ul>
  );
}

function columns(rows: Row[]): Column<Row>[] {
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
  if (rows.some((row) => row.problems.length > 0 || row.reason || row.same_as_row !== null))
    list.push({ id: 'problem', label: t('problem_and_cure'), wide: true, cell: (row) => <Problems row={row} /> });
  return list;
}

function Problems({ row }: { row: Row }) {
  if (row.problems.length === 0)
    return (
      <>
        {row.reason && codeTitle(row.reason)}
        {row.same_as_row !== null && <p>{t('same_as', { n: numberText(row.same_as_row) })}</p>}
      </>
    );
  return (
    <ul class="problems">
      {row.problems.map((problem, index) => (
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
