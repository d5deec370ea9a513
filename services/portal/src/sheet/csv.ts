// CSV, only as much as a preview and a converted workbook need: what counts is how the server reads
// the bytes.

export const DELIMITERS = [',', '\t', ';'] as const;

/** The first `most` rows; a row that the text may have cut off is left out unless `whole`. */
export function parseCsv(text: string, delimiter: string, most: number, whole: boolean): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  let begun = false;
  const endCell = () => {
    row.push(cell);
    cell = '';
    begun = false;
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length && rows.length < most; at++) {
    const char = text[at]!;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') cell += text[++at];
      else quoted = false;
    } else if (char === '"' && !begun) {
      quoted = begun = true;
    } else if (char === delimiter) {
      endCell();
    } else if (char === '\n' || char === '\r') {
      if (char === '\r' && text[at + 1] === '\n') at++;
      endRow();
    } else {
      cell += char;
      begun = true;
    }
  }
  if (whole && !quoted && rows.length < most && (cell !== '' || row.length > 0)) endRow();
  return rows;
}

export const isBlank = (row: readonly string[]): boolean => row.every((cell) => cell.trim() === '');

const quote = (cell: string): string => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell);

/** Lines as the server wants them: CRLF; a blank row stays a blank line, so that numbers agree. */
export const writeCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => (isBlank(row) ? '' : row.map(quote).join(',')) + '\r\n').join('');
