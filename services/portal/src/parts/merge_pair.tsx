// Two records side by side: everything that tells two people of a name apart, and what both have.
import type { Answer } from '../api/types';
import { dateText, timeText } from '../text/format';
import { tmOf } from '../text/membership';
import { t } from '../text/messages';
import { tm } from '../text/merges';
import { Notice } from './basics';
import { Table } from './table';

export type Pair = Answer<'/api/v1/merges/comparison', 'post'>;
export type Side = Pair['keep'];
/** One record alone: only its number is to change. */
type OneOrTwo = Omit<Pair, 'close'> & { close: Side | null };
type Line = [what: string, cell: (side: Side) => string];

const page = (side: Side) => tm(`page_${side.my_page}`) + (side.has_account ? '' : ` (${tm('no_account')})`);
const membership = (one: Side['memberships'][number]) =>
  `${tm(`layer_${one.layer as 1 | 2 | 3}`)} ${one.association ?? one.code} ${one.category}`.trim();

const lines = (): Line[] => [
  [t('name'), (side) => side.name],
  [t('name_kana'), (side) => side.name_kana],
  [t('former_name'), (side) => side.former_name],
  [t('register_no'), (side) => side.register_no],
  [tm('mamis_no'), (side) => side.mamis_no ?? ''],
  [tm('former_numbers'), (side) => side.former_numbers.join('、')],
  [t('birth_on'), (side) => (side.birth_on ? dateText(side.birth_on) : '')],
  [tm('licensed_on'), (side) => (side.licensed_on ? dateText(side.licensed_on) : '')],
  [tm('my_page'), page],
  [t('email'), (side) => side.email ?? ''],
  [tm('last_sign_in'), (side) => (side.last_sign_in_at ? timeText(side.last_sign_in_at) : '')],
  [tm('credits'), (side) => String(side.credits)],
  [tm('certificates'), (side) => side.certificates.map((one) => `${one.programme} ${one.number} ～${dateText(one.valid_to)}`).join('、')],
  [tm('memberships'), (side) => side.memberships.map(membership).join('、')],
  [tm('procedures'), (side) => side.procedures.map((kind) => tmOf('kind', kind)).join('、')],
  [tm('applications'), (side) => side.applications.join('、')],
];

export function PairTable({ pair: { keep, close, conflicts } }: { pair: OneOrTwo }) {
  const differs = ([, cell]: Line) => close !== null && cell(keep) !== cell(close);
  const shown = (side: Side) => (line: Line) => (differs(line) ? <strong>{line[1](side)}</strong> : line[1](side));
  return (
    <div class="stack">
      <Table
        caption={tm(close ? 'pair' : 'number_record')}
        columns={[
          { id: 'what', label: tm('what'), head: true, cell: ([what]) => what },
          { id: 'keep', label: tm(close ? 'keep' : 'number_record'), cell: shown(keep) },
          ...(close ? [{ id: 'close', label: tm('close'), cell: shown(close) }] : []),
        ]}
        rows={lines()}
        keyOf={([what]) => what}
        empty=""
      />
      <Both conflicts={conflicts} refuses />
      <Both conflicts={conflicts} refuses={false} />
      {keep.my_page === 'none' && close?.has_account && (
        <Notice tone="warn">
          <p>{tm('no_page')}</p>
        </Notice>
      )}
    </div>
  );
}

/** "membership_l1", "procedure_admission", "application_OP", "certificate_SP". */
function conflictText(what: string): string {
  const kind = what.split('_')[0];
  if (what === 'membership_l1' || what === 'membership_l2') return tm(`has_${what}`);
  if (kind === 'procedure' || kind === 'application' || kind === 'certificate') return tm(`has_${kind}`);
  return what;
}

function Both({ conflicts, refuses }: { conflicts: Pair['conflicts']; refuses: boolean }) {
  const found = conflicts.filter((one) => one.refuses === refuses);
  if (found.length === 0) return null;
  return (
    <Notice tone={refuses ? 'bad' : 'warn'} title={`${tm('both')}: ${tm(refuses ? 'refuses' : 'flagged')}`}>
      <ul>
        {found.map((one) => (
          <li key={one.what}>{conflictText(one.what)}</li>
        ))}
      </ul>
    </Notice>
  );
}
