// A requirement by kinds, and the seminars it rests on: on My Page and in the review.
import type { components } from '../gen/api';
import { dateText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';
import { Tag } from './basics';
import { Table, type Column } from './table';

type Line = components['schemas']['RequirementLine'];
type Credit = components['schemas']['RequirementCredit'];

/** A bar for each kind; kinds without a least amount show only what was counted. */
export function RequirementLines({ lines }: { lines: Line[] }) {
  return (
    <ul class="lines">
      {lines.map((line) => (
        <li key={line.kind}>
          <span class="strong">{line.kind_name}</span>
          <span class="num strong">{unitText(line.counted_half_units)}</span>
          <LineParts line={line} />
          {line.needed_half_units > 0 && (
            <progress
              class={line.counted_half_units >= line.needed_half_units ? 'good' : undefined}
              aria-label={line.kind_name}
              max={line.needed_half_units}
              value={Math.min(line.counted_half_units, line.needed_half_units)}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

/** What is needed at least, and where the units come from. */
function LineParts({ line }: { line: Line }) {
  const parts: string[] = [];
  if (line.needed_half_units > 0) parts.push(t('line_least', { needed: unitText(line.needed_half_units) }));
  const declared = unitText(line.verified_half_units ?? line.declared_half_units);
  if (line.declared_half_units > 0) {
    const key = line.verified_half_units === null ? 'line_declared' : 'line_verified';
    parts.push(t('line_posted', { posted: unitText(line.posted_half_units) }), t(key, { declared }));
  }
  return <span class="parts soft num">{parts.join(t('comma'))}</span>;
}

/** What counts of one credit, or why it does not. */
function Counting({ credit }: { credit: Credit }) {
  if (credit.status === 'cancelled') return <Tag tone="bad">{t('cancelled_since')}</Tag>;
  if (!credit.not_counted_reason && credit.counted_half_units === credit.half_units)
    return <Tag tone="good">{t('counts_full')}</Tag>;
  const why = credit.not_counted_reason ? tOf('not', credit.not_counted_reason) : '';
  return (
    <>
      <Tag tone="warn">
        {credit.counted_half_units > 0
          ? t('partly_counted', { units: unitText(credit.counted_half_units) })
          : t('not_counted')}
      </Tag>
      {why && (
        <>
          <br />
          <span class="soft">{why}</span>
        </>
      )}
    </>
  );
}

const columns = (): Column<Credit>[] => [
  { id: 'held_on', label: t('held_on'), kind: 'date', cell: (credit) => dateText(credit.held_on) },
  {
    id: 'seminar',
    label: t('seminar'),
    head: true,
    cell: (credit) => (
      <>
        {credit.seminar_title}
        <br />
        <span class="soft num">
          {credit.seminar_no} {t('session_n', { n: credit.session_no })}
        </span>
      </>
    ),
  },
  { id: 'kind', label: t('kind'), cell: (credit) => credit.kind_name ?? credit.kind },
  { id: 'delivery', label: t('delivery'), kind: 'tight', cell: (credit) => tOf('delivery', credit.delivery) },
  { id: 'units', label: t('units'), kind: 'num', cell: (credit) => unitText(credit.half_units) },
  { id: 'counts', label: t('counts'), cell: (credit) => <Counting credit={credit} /> },
];

export function CreditTable({ caption, credits }: { caption: string; credits: Credit[] }) {
  return (
    <Table
      caption={caption}
      hideCaption
      columns={columns()}
      rows={credits}
      keyOf={(credit) => credit.entry_id}
      off={(credit) => credit.counted_half_units === 0 || credit.status === 'cancelled'}
      empty={t('credits_empty')}
    />
  );
}
