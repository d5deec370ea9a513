// A workbook's first sheet as the CSV file that is sent. Loaded only when somebody chooses one.
import { readSheet } from 'read-excel-file/universal';
import { isHeader, readHeader, type Column } from './columns';
import { isBlank, writeCsv } from './csv';
import { previewTable, UnreadableFile, type Examined } from './preview';

type Cell = string | number | boolean | Date | null;

const pad = (number: number, digits = 2): string => String(number).padStart(digits, '0');

/** As the sheet shows it (15 digits), never with an exponent. */
export function numberText(value: number): string {
  const rounded = Number(value.toPrecision(15));
  const text = String(rounded);
  return /e/i.test(text) ? rounded.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 20 }) : text;
}

/**
 * Days and times as attendance files write them. A cell with a time alone lies on the first day of
 * the workbook's calendar. With a day there is no place for seconds: a later minute for who came,
 * an earlier one for who left, so that the verdict is that of the exact time.
 */
export function dateText(value: Date, column: Column | null): string {
  let seconds = Math.round(value.getTime() / 1000);
  const first = new Date(seconds * 1000).toISOString().slice(0, 10);
  const timeAlone = first === '1899-12-30' || first === '1899-12-31' || first === '1904-01-01';
  if (!timeAlone && column === 'entered_at') seconds = Math.ceil(seconds / 60) * 60;
  const at = new Date(seconds * 1000);
  const time = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
  if (timeAlone) return at.getUTCSeconds() === 0 ? time : `${time}:${pad(at.getUTCSeconds())}`;
  const day = `${pad(at.getUTCFullYear(), 4)}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
  const timed = column === 'entered_at' || column === 'left_at';
  return seconds % 86_400 === 0 && !timed ? day : `${day} ${time}`;
}

/** A line break inside a cell would shift the line numbers that people are told. */
export function cellText(value: Cell, column: Column | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (value instanceof Date) return dateText(value, column);
  return value.replace(/\s*[\r\n]+\s*/g, ' ');
}

/** Line n of the result is row n of the sheet; rows above the header become blank lines. */
export function tableOf(sheet: Cell[][]): string[][] {
  const texts = sheet.map((row) => row.map((cell) => cellText(cell, null)));
  const at = texts.findIndex((row) => !isBlank(row) && isHeader(row));
  const columns = at < 0 ? [] : readHeader(texts[at]!, false).columns;
  let wide = 0;
  for (const row of texts.slice(Math.max(at, 0)))
    row.forEach((cell, place) => {
      if (cell !== '') wide = Math.max(wide, place + 1);
    });
  return sheet.map((row, line) =>
    Array.from({ length: wide }, (_, place) =>
      line > at ? cellText(row[place] ?? null, columns[place] ?? null) : (texts[line]![place] ?? ''),
    ),
  );
}

export async function readWorkbook(file: File, severalSessions: boolean): Promise<Examined> {
  let sheet: Cell[][];
  try {
    sheet = (await readSheet(await file.arrayBuffer())) as unknown as Cell[][];
  } catch {
    throw new UnreadableFile('xlsx_broken');
  }
  const table = tableOf(sheet);
  const preview = previewTable(table, severalSessions);
  if (!preview) throw new UnreadableFile('xlsx_empty');
  const first = table.findIndex((row) => !isBlank(row));
  for (let line = first, left = preview.dropped; left > 0; line++)
    if (!isBlank(table[line]!)) {
      table[line] = [];
      left--;
    }
  const name = file.name.replace(/\.\w{1,5}$/, '') + '.csv';
  return { file: new File([writeCsv(table)], name, { type: 'text/csv' }), preview };
}
