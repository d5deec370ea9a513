// Sums of credits: by programme and kind, by fiscal year; and what is in them.
import type { components } from '../gen/api';
import { unitNumber, unitText, yearText } from '../text/format';
import { t, tOf } from '../text/messages';
import { Table, type Column } from './table';

export const PROGRAMMES = ['OP', 'SP', 'CME', 'KK', 'KHR', 'CSL'];

export type Total = components['schemas']['CreditTotals'][number];
export type Year = components['schemas']['CreditYears'][number];

const sumOf = (items: { half_units: number }[]): number => items.reduce((sum, item) => sum + item.half_units, 0);

export function CreditTotals({ totals }: { totals: Total[] }) {
  return (
    <div class="cards">
      {PROGRAMMES.filter((code) => totals.some((total) => total.programme === code)).map((programme) => {
        const kinds = totals.filter((total) => total.programme === programme);
        return (
          <div class="card stack tight" key={programme}>
            <div class="row between">
              <h3>{tOf('programme', programme)}</h3>
              <span class="strong num">{unitText(sumOf(kinds))}</span>
            </div>
            <ul class="lines tight">
              {kinds.map((total) => (
                <li key={total.kind}>
                  <span>{total.kind_name ?? total.kind}</span>
                  <span class="num">{unitText(total.half_units)}</span>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </div>
  );
}

interface YearRow {
  year: number;
  items: Year[];
}

/** One row a year, one column a programme that has any. */
export function CreditYears({ years }: { years: Year[] }) {
  const rows: YearRow[] = [...new Set(years.map((item) => item.fiscal_year))].map((year) => ({
    year,
    items: years.filter((item) => item.fiscal_year === year),
  }));
  const programmes = PROGRAMMES.filter((code) => years.some((item) => item.programme === code));
  const columns: Column<YearRow>[] = [
    { id: 'year', label: t('fiscal_year'), head: true, cell: (row) => yearText(row.year) },
    ...programmes.map(
      (programme): Column<YearRow> => ({
        id: programme,
        label: tOf('programme', programme),
        kind: 'num',
        cell: (row) => {
          const half = sumOf(row.items.filter((item) => item.programme === programme));
          return half === 0 ? '' : unitNumber(half);
        },
      }),
    ),
  ];
  return (
    <Table
      caption={t('credits_years')}
      columns={columns}
      rows={rows}
      keyOf={(row) => row.year}
      empty={t('credits_empty')}
    />
  );
}
