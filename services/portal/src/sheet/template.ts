// The file to fill in: the columns of a seminar's attendance, ready for a spreadsheet program.
import type { components } from '../gen/api';
import { columnName, type Column } from './columns';
import { writeCsv } from './csv';

type Seminar = components['schemas']['Seminar'];
/** Somebody who has a place. */
export type Person = Pick<components['schemas']['Applicants']['items'][number], 'register_no' | 'name_kana' | 'name'>;

const BLANK_ROWS = 200;

export function templateColumns(seminar: Seminar): Column[] {
  const session: Column[] = seminar.sessions.length > 1 ? ['session_no'] : [];
  return ['seminar_no', ...session, 'register_no', 'mamis_no', 'name_kana', 'name', 'entered_at', 'left_at', 'attended'];
}

/**
 * The header and a line for each session of each applicant. Without applicants, and where there are
 * several sessions, one line for each, to be copied and filled in.
 */
export function templateRows(seminar: Seminar, people: Person[] = []): string[][] {
  const columns = templateColumns(seminar);
  const rows = [columns.map(columnName)];
  const blank: Person[] = seminar.sessions.length > 1 ? [{ register_no: '', name_kana: '', name: '' }] : [];
  for (const session of seminar.sessions)
    for (const person of people.length > 0 ? people : blank) {
      const cells: Partial<Record<Column, string | null>> = {
        seminar_no: seminar.seminar_no,
        session_no: session.session_no,
        register_no: person.register_no,
        name_kana: person.name_kana,
        name: person.name,
      };
      rows.push(columns.map((column) => cells[column] ?? ''));
    }
  return rows;
}

/** With a mark, by which spreadsheet programs know UTF-8. */
export const templateCsv = (seminar: Seminar, people: Person[] = []): Blob =>
  new Blob(['\ufeff', writeCsv(templateRows(seminar, people))], { type: 'text/csv' });

/** Every cell is a text, so that no number loses its zeros and no time becomes a fraction. */
export async function templateXlsx(
  seminar: Seminar,
  sheets: [list: string, notes: string],
  notes: string[][],
  people: Person[] = [],
): Promise<Blob> {
  const { default: writeXlsxFile } = await import('write-excel-file/universal');
  const rows = templateRows(seminar, people);
  const [header = [], ...examples] = rows;
  const text = (value: string | undefined) => ({ type: String, format: '@', ...(value ? { value } : {}) });
  const blank = Array.from({ length: BLANK_ROWS }, () => header.map(() => text(undefined)));
  const sheet = [
    header.map((value) => ({ value, type: String, fontWeight: 'bold' as const })),
    ...examples.map((row) => row.map(text)),
    ...blank,
  ];
  return writeXlsxFile([
    { data: sheet, sheet: sheets[0], columns: header.map(() => ({ width: 18 })), stickyRowsCount: 1 },
    { data: notes.map((row) => row.map(text)), sheet: sheets[1], columns: [{ width: 20 }, { width: 90 }] },
  ]).toBlob();
}
