// One line of the table for entering attendees, and under it what is wrong with it.
import type { JudgedRow } from '../api/send_rows';
import type { components } from '../gen/api';
import { columnName, columnOf, type Column } from '../sheet/columns';
import { codeTitle, t } from '../text/messages';
import { Button, Tag } from './basics';
import { isDone, needsFixing, type Line } from './hand_lines';
import { Problems } from './rows';

type Session = components['schemas']['SeminarSession'];

interface HandRowProps {
  line: Line;
  at: number;
  columns: Column[];
  sessions: Session[];
  busy: boolean;
  onValue: (column: Column, value: string) => void;
  onEnter: (column: number) => void;
  onPaste: (column: number, text: string) => void;
  onRemove: () => void;
}

const NUMERIC: readonly Column[] = ['register_no', 'mamis_no'];
const CELL_MAX = 100;

export function HandRow(props: HandRowProps) {
  const { line, at, columns } = props;
  const n = at + 1;
  const bad = needsFixing(line);
  const problemId = `hand-${at}-problem`;
  return (
    <>
      <tr role="row" class={bad ? 'bad' : undefined}>
        <th scope="row" role="rowheader" class="tight" data-label={t('hand_line')}>
          <div class="num">{n}</div>
        </th>
        {columns.map((column, place) => (
          <td key={column} role="cell" data-label={columnName(column)}>
            <div>
              <Cell {...props} column={column} place={place} described={bad ? problemId : undefined} />
            </div>
          </td>
        ))}
        <td role="cell" class="tight" data-label={t('hand_result')}>
          {line.row && (
            <div>
              <Tag tone={bad ? 'bad' : line.row.outcome === 'waiting' ? 'warn' : 'good'}>{codeTitle(line.row.outcome)}</Tag>
            </div>
          )}
        </td>
        <td role="cell" class="tight bare">
          <Button look="text" busy={props.busy} label={t('hand_remove_n', { n })} onClick={props.onRemove}>
            {t('hand_remove')}
          </Button>
        </td>
      </tr>
      {line.row && (line.row.problems.length > 0 || line.row.reason) && (
        <tr role="row" class={bad ? 'bad' : undefined}>
          <td role="cell" class="bare" id={problemId} colSpan={columns.length + 3}>
            <Problems row={inTableWords(line.row)} />
          </td>
        </tr>
      )}
    </>
  );
}

interface CellProps extends HandRowProps {
  column: Column;
  place: number;
  described: string | undefined;
}

/** A line that is done can be read, but not changed. Enter goes on instead of sending half a list. */
function Cell(props: CellProps) {
  const { line, column, place } = props;
  const common = {
    id: `hand-${props.at}-${place}`,
    'aria-label': t('hand_cell', { n: props.at + 1, column: columnName(column) }),
    'aria-describedby': props.described,
    'aria-invalid': line.row?.problems.some((problem) => isAbout(problem.column, column)) ? ('true' as const) : undefined,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      props.onEnter(place);
    },
  };
  const value = line.cells[column] ?? '';
  const closed = isDone(line) || props.busy;
  const choices = choicesOf(column, line, props.sessions);
  if (choices)
    return (
      <select
        {...common}
        value={value}
        aria-disabled={closed ? 'true' : undefined}
        onChange={(event) => {
          if (closed) event.currentTarget.value = value;
          else props.onValue(column, event.currentTarget.value);
        }}
      >
        {choices.map(([choice, label]) => (
          <option key={choice} value={choice} selected={choice === value}>
            {label}
          </option>
        ))}
      </select>
    );
  return (
    <input
      {...common}
      type="text"
      value={value}
      maxLength={CELL_MAX}
      inputMode={NUMERIC.includes(column) ? 'numeric' : undefined}
      autocomplete="off"
      spellcheck={false}
      readOnly={closed}
      onPaste={(event) => {
        const text = event.clipboardData?.getData('text') ?? '';
        if (closed || !/[\t\n]/.test(text)) return;
        event.preventDefault();
        props.onPaste(place, text);
      }}
      onInput={(event) => props.onValue(column, event.currentTarget.value)}
    />
  );
}

/** What can be chosen, where a cell is not written freely; what was pasted into it stays as it is. */
function choicesOf(column: Column, line: Line, sessions: Session[]): [value: string, label: string][] | null {
  const choices: Partial<Record<Column, () => [string, string][]>> = {
    session_no: () => [
      ['', t('hand_choose')],
      ...sessions.map((item): [string, string] => [item.session_no, `${item.session_no} ${item.title}`]),
    ],
    kind: () => [['', t('hand_kind_all')], ...kindsOf(line, sessions)],
    attended: () => [
      ['', t('hand_present')],
      ['欠席', t('hand_absent')],
    ],
  };
  const found = choices[column]?.();
  const value = line.cells[column];
  if (found && value && !found.some(([choice]) => choice === value)) found.push([value, value]);
  return found ?? null;
}

/** Of the line's session, or of all as long as none is chosen. */
function kindsOf(line: Line, sessions: Session[]): [kind: string, name: string][] {
  const chosen = sessions.filter((item) => item.session_no === line.cells.session_no);
  const kinds = (chosen.length > 0 ? chosen : sessions).flatMap((item) => item.offers.flatMap((offer) => offer.kinds));
  return [...new Map(kinds.map((item): [string, string] => [item.kind, item.kind_name]))];
}

/** Problems name the column as the rows did, by its English name; the table has Japanese ones. */
const inTableWords = (row: JudgedRow): JudgedRow => ({
  ...row,
  problems: row.problems.map((problem) => {
    const column = problem.column === null ? null : columnOf(problem.column);
    return column ? { ...problem, column: columnName(column) } : problem;
  }),
});

const isAbout = (named: string | null, column: Column): boolean => named !== null && columnOf(named) === column;
