// What a chosen file holds, before it is sent: its first rows and which columns are recognised. A
// CSV file is only looked at, its own bytes are sent; a workbook becomes a CSV file here.
import { DELIMITERS, isBlank, parseCsv } from './csv';
import { isHeader, readHeader, type Header } from './columns';

export interface Preview {
  header: Header;
  rows: string[][];
  /** Of a workbook: all rows are known. */
  rowsTotal: number | null;
  encoding: 'utf-8' | 'cp932' | 'xlsx';
  /** Rows above the header that were left out (workbooks only). */
  dropped: number;
}

/** `file` is what will be sent. `preview` null: nothing can be shown, the server decides. */
export interface Examined {
  file: File;
  preview: Preview | null;
}

export type Unreadable = 'xls' | 'xlsx_broken' | 'xlsx_large' | 'xlsx_empty';

export class UnreadableFile extends Error {
  constructor(readonly why: Unreadable) {
    super(why);
  }
}

const LOOK_BYTES = 64 * 1024;
export const XLSX_BYTES_MAX = 16 * 1024 * 1024;
const ROWS_SHOWN = 5;

const startsWith = (bytes: Uint8Array, ...start: number[]): boolean => start.every((byte, at) => bytes[at] === byte);

export async function examine(file: File, severalSessions: boolean): Promise<Examined> {
  const start = new Uint8Array(await file.slice(0, LOOK_BYTES).arrayBuffer());
  // A workbook with a password lies in the wrapping of the old ones.
  if (startsWith(start, 0xd0, 0xcf, 0x11, 0xe0)) throw new UnreadableFile(/\.xls[xm]$/i.test(file.name) ? 'xlsx_broken' : 'xls');
  if (startsWith(start, 0x50, 0x4b, 0x03, 0x04)) {
    if (file.size > XLSX_BYTES_MAX) throw new UnreadableFile('xlsx_large');
    const { readWorkbook } = await import('./xlsx'); // its library is loaded only when wanted
    return readWorkbook(file, severalSessions);
  }
  if (/\.json$/i.test(file.name)) return { file, preview: null };
  return { file, preview: previewCsv(start, start.length === file.size, severalSessions) };
}

/** As the server does: a mark, else the first line with a byte above 7F decides. */
export function encodingOf(bytes: Uint8Array): 'utf-8' | 'cp932' {
  if (startsWith(bytes, 0xef, 0xbb, 0xbf)) return 'utf-8';
  const high = bytes.findIndex((byte) => byte > 0x7f);
  if (high < 0) return 'utf-8';
  const isEnd = (byte: number): boolean => byte === 0x0a || byte === 0x0d;
  let from = high;
  while (from > 0 && !isEnd(bytes[from - 1]!)) from--;
  let to = high;
  while (to < bytes.length && !isEnd(bytes[to]!)) to++;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, to));
    return 'utf-8';
  } catch {
    return 'cp932';
  }
}

/** Null where the bytes are no text: the server says so better. */
export function previewCsv(bytes: Uint8Array, whole: boolean, severalSessions: boolean): Preview | null {
  if (bytes.includes(0) || startsWith(bytes, 0xff, 0xfe) || startsWith(bytes, 0xfe, 0xff)) return null;
  if (startsWith(bytes, 0x25, 0x50, 0x44, 0x46)) return null;
  const encoding = encodingOf(bytes);
  const text = new TextDecoder(encoding === 'utf-8' ? 'utf-8' : 'shift_jis').decode(bytes);
  let best: { known: number; names: number; rows: string[][] } | undefined;
  for (const delimiter of DELIMITERS) {
    const rows = parseCsv(text, delimiter, ROWS_SHOWN + 20, whole).filter((row) => !isBlank(row));
    const names = rows[0] ?? [];
    const known = readHeader(names, false).columns.filter(Boolean).length;
    if (!best || known > best.known || (known === best.known && names.length > best.names))
      best = { known, names: names.length, rows };
  }
  const [names, ...rows] = best!.rows;
  if (!names) return null;
  return {
    header: readHeader(names, severalSessions),
    rows: rows.slice(0, ROWS_SHOWN),
    rowsTotal: null,
    encoding,
    dropped: 0,
  };
}

/** A table of texts: people like to write a title above the header, which the server would refuse. */
export function previewTable(table: string[][], severalSessions: boolean): Preview | null {
  const HEADER_WITHIN = 20;
  const first = table.findIndex((row) => !isBlank(row));
  if (first < 0) return null;
  const later = table.slice(0, first + HEADER_WITHIN).findIndex((row, at) => at >= first && isHeader(row));
  const at = later < 0 ? first : later;
  const rows = table.slice(at + 1).filter((row) => !isBlank(row));
  return {
    header: readHeader(table[at]!, severalSessions),
    rows: rows.slice(0, ROWS_SHOWN),
    rowsTotal: rows.length,
    encoding: 'xlsx',
    dropped: table.slice(first, at).filter((row) => !isBlank(row)).length,
  };
}
