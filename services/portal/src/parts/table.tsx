// Tables with a caption. On a phone each row becomes a card, so the roles are written out: CSS
// that changes `display` would otherwise take the table away from screen readers.
import type { ComponentChildren } from 'preact';

export interface Column<R> {
  /** Unique within the table; also the React-style key of its cells. */
  id: string;
  label: string;
  cell: (row: R) => ComponentChildren;
  kind?: 'num' | 'date' | 'tight';
  /** The cell that names its row. */
  head?: boolean;
  /** On a phone: over the whole width, without its label. */
  wide?: boolean;
}

interface TableProps<R> {
  caption: string;
  hideCaption?: boolean;
  columns: Column<R>[];
  rows: R[];
  keyOf: (row: R) => string | number;
  off?: (row: R) => boolean;
  empty: string;
  foot?: ComponentChildren;
}

export function Table<R>({ caption, hideCaption, columns, rows, keyOf, off, empty, foot }: TableProps<R>) {
  if (rows.length === 0) return <p class="soft">{empty}</p>;
  return (
    <div class="table-box">
      <table class="stacked" role="table">
        <caption class={hideCaption ? 'sr' : undefined}>{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.id} scope="col" role="columnheader" class={column.kind}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row" class={off?.(row) ? 'off' : undefined}>
              {columns.map((column) => (
                <Cell key={column.id} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
        {foot && <tfoot role="rowgroup">{foot}</tfoot>}
      </table>
    </div>
  );
}

function Cell<R>({ column, row }: { column: Column<R>; row: R }) {
  const content = column.cell(row);
  const inner = <div class={column.kind === 'num' ? 'num' : undefined}>{content}</div>;
  const empty = content === null || content === undefined || content === '' || content === false;
  if (column.head)
    return (
      <th scope="row" role="rowheader" class={column.kind} data-label={column.label}>
        {inner}
      </th>
    );
  return (
    <td role="cell" class={column.wide ? 'bare' : column.kind} data-label={column.label}>
      {empty ? null : inner}
    </td>
  );
}
