// Which columns a header row names, as the program that reads the file will find them.
import { columnNames, type Column } from '../gen/columns';

export type { Column };

export interface Header {
  names: string[];
  /** For each name the column it stands for; null: it is ignored. */
  columns: (Column | null)[];
  /** The code of why the file will be refused. */
  fault: 'header_missing' | 'column_missing' | 'column_twice' | 'too_many_columns' | null;
  /** The column that the fault is about. */
  about: Column | null;
}

const COLUMNS_MAX = 64;
/** What the result file adds at the end, each time that it is sent again; they do not count. */
const RESULT = ['結果', '理由', '説明', '直し方'];

function ownColumns(names: string[]): number {
  let count = names.length;
  while (count >= RESULT.length && RESULT.every((name, at) => names[count - RESULT.length + at] === name)) count -= RESULT.length;
  return count;
}

const fold = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/\s/gu, '');
const known = new Map<string, Column>();
for (const [column, names] of Object.entries(columnNames))
  for (const name of names) known.set(fold(name), column as Column);

/** The name that people read. */
export const columnName = (column: Column): string => columnNames[column][0];

export const columnOf = (name: string): Column | null => known.get(fold(name.replace(/^'(?=[=+\-@])/, ''))) ?? null;

export function readHeader(names: string[], severalSessions: boolean): Header {
  const columns = names.map(columnOf);
  const found = columns.filter((column): column is Column => column !== null);
  const distinct = new Set(found);
  const header: Header = { names: names.map((name) => name.trim()), columns, fault: null, about: null };
  const number = distinct.has('register_no') || distinct.has('mamis_no');
  const twice = found.find((column, at) => found.indexOf(column) !== at);
  if (!number && distinct.size < 2) header.fault = 'header_missing';
  else if (!number) [header.fault, header.about] = ['column_missing', 'register_no'];
  else if (severalSessions && !distinct.has('session_no')) [header.fault, header.about] = ['column_missing', 'session_no'];
  else if (twice) [header.fault, header.about] = ['column_twice', twice];
  else if (ownColumns(header.names) > COLUMNS_MAX) header.fault = 'too_many_columns';
  return header;
}

/** Whether a row can be a header at all. */
export const isHeader = (names: string[]): boolean => readHeader(names, false).fault !== 'header_missing';
