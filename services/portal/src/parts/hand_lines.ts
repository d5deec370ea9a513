// The lines of the table for entering attendees by hand: pure, so that a test can go through them.
import type { JudgedRow } from '../api/send_rows';
import type { Column } from '../sheet/columns';

export interface Line {
  /** Stays with the line while others come and go. */
  id: number;
  cells: Partial<Record<Column, string>>;
  /** What became of it; taken away when the line is changed. */
  row: JudgedRow | null;
}

export const needsFixing = (line: Line): boolean =>
  line.row !== null && (line.row.outcome === 'rejected' || line.row.outcome === 'unmatched');
export const isDone = (line: Line): boolean => line.row !== null && !needsFixing(line);

/**
 * A line counts when somebody is named in it: a session chosen beforehand is not enough, nor what
 * stands in a column that is hidden by now.
 */
export const isEmpty = (line: Line, columns: Column[]): boolean =>
  columns.every((column) => column === 'session_no' || !line.cells[column]?.trim());

export const toSend = (lines: Line[], columns: Column[]): Line[] =>
  lines.filter((line) => !isDone(line) && !isEmpty(line, columns));

/** All rows have the same columns, in this order: they become a file's. */
export const rowsOf = (lines: Line[], columns: Column[]): Record<string, string>[] =>
  lines.map((line) => Object.fromEntries(columns.map((column) => [column, line.cells[column] ?? ''])));

/** Row n of the answer is the n-th line that was sent; a row that it names is named as a line, too. */
export function withOutcomes(lines: Line[], sent: Line[], rows: JudgedRow[]): Line[] {
  const lineNo = (rowNo: number | null): number | null =>
    (rowNo !== null && lines.findIndex((line) => line.id === sent[rowNo - 1]?.id) + 1) || null;
  const found = new Map(
    rows.map((row) => [sent[row.row_no - 1]?.id, { ...row, same_as_row: lineNo(row.same_as_row) }]),
  );
  return lines.map((line) => ({ ...line, row: found.get(line.id) ?? line.row }));
}

/**
 * Cells copied from a spreadsheet, put in from line `at` and column `from` on. Lines that are done
 * stay as they are; new ones come as long as there are fewer than `most`.
 */
export function pasted(lines: Line[], at: number, from: number, columns: Column[], text: string, most: number): Line[] {
  const next = [...lines];
  let place = at;
  for (const copied of text.replace(/\r?\n$/, '').split(/\r?\n/)) {
    while (place < next.length && isDone(next[place]!)) place++;
    if (place >= most) break;
    const line = next[place] ?? newLine(next);
    const cells = { ...line.cells };
    copied.split('\t').forEach((value, offset) => {
      const column = columns[from + offset];
      if (column) cells[column] = value.trim();
    });
    next[place++] = { ...line, cells, row: null };
  }
  return next;
}

export const newLine = (lines: Line[]): Line => {
  const last = lines[lines.length - 1];
  const id = Math.max(0, ...lines.map((line) => line.id)) + 1;
  // People come to the same session one after the other.
  return { id, cells: last?.cells.session_no ? { session_no: last.cells.session_no } : {}, row: null };
};
