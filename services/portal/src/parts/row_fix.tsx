// A row that did not post, mended where it stands: by a form over the page, or by one press where
// a number close by has the row's name.
import { useEffect, useRef, useState } from 'preact/hooks';
import { command } from '../api/client';
import { errorOf, type ApiError } from '../api/problem';
import type { Upload } from '../api/progress';
import type { Answer, Body } from '../api/types';
import { may } from '../gen/access';
import { session } from '../session';
import { columnOf } from '../sheet/columns';
import { numberText, timeText } from '../text/format';
import { codeTitle, t } from '../text/messages';
import { Button } from './basics';
import { Dialog } from './dialog';
import { SendButton, TextField } from './fields';
import { FormBox, useForm } from './form';
import { ProblemNotice } from './load';

const ROUTE = '/api/v1/uploads/{upload_id}/rows/{row_no}';
type Row = Answer<typeof ROUTE, 'patch'>;
type Cells = Body<typeof ROUTE, 'patch'>;
type Problem = Row['problems'][number];
type Cell = Exclude<keyof Cells, 'name'>;

const CELLS: Cell[] = [
  'register_no',
  'mamis_no',
  'name_kana',
  'session_no',
  'kind',
  'units',
  'entered_at',
  'left_at',
  'attended',
  'seminar_no',
];

/** Which cells a problem is about, with or without the one whose column it names. */
const CELLS_OF: Record<string, Cell[]> = {
  doctor_unknown: ['register_no', 'mamis_no'],
  kana_mismatch: ['register_no'],
  numbers_disagree: ['register_no'],
  doctor_closed: ['register_no', 'mamis_no'],
  number_missing: ['mamis_no'],
  time_format: ['entered_at', 'left_at'],
  time_incomplete: ['entered_at', 'left_at'],
  time_order: ['entered_at'],
  late_arrival: ['left_at'],
  early_leave: ['entered_at'],
};
const WHOLE = ['field_count', 'bad_encoding'];

/** Rows that are posted, or repeat one that is, stay as they are. */
export const canFix = (upload: Upload): boolean =>
  upload.status === 'done' && !upload.dry_run && !upload.undo && may(session()?.account.role ?? '', 'attendance_post');
const isOpen = (row: Row): boolean => row.outcome !== 'posted' && row.outcome !== 'already_posted';

interface RowFixProps {
  upload: Upload;
  row: Row;
  onFixed: (row: Row) => void;
}

/** What stands beside a row: what was written over it, a number close by, the way to mend it. */
export function RowFix({ upload, row, onFixed }: RowFixProps) {
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const done = useRef<HTMLParagraphElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    // The button that had the focus may be gone: the focus stays with the row.
    if (asked.current) done.current?.focus();
    asked.current = false;
  }, [row]);

  async function mend(cells: Cells): Promise<void> {
    const path = { upload_id: upload.upload_id, row_no: row.row_no };
    const next = await command('patch', ROUTE, { path, body: cells });
    asked.current = true;
    setOpen(false);
    onFixed(next);
  }

  async function take(number: string): Promise<void> {
    setBusy(true);
    setError(undefined);
    await mend({ register_no: number }).catch((cause) => setError(errorOf(cause)));
    setBusy(false);
  }

  return (
    <div class="stack tight">
      {row.fixed && (
        <p ref={done} tabIndex={-1} role="status">
          <span class="strong">{t('fix_done', { outcome: codeTitle(row.outcome) })}</span>
          <br />
          <span class="soft">{t('fixed_at', { at: timeText(row.fixed.at) ?? '' })}</span>
        </p>
      )}
      {isOpen(row) && row.suggestion && (
        <Suggestion {...row.suggestion} busy={busy} onTake={(number) => void take(number)} />
      )}
      {error && <ProblemNotice error={error} />}
      {isOpen(row) && (
        <div>
          <Button label={t('fix_row_n', { n: numberText(row.row_no) })} onClick={() => setOpen(true)}>
            {t('fix_row')}
          </Button>
        </div>
      )}
      {open && <FixDialog row={row} send={mend} onClose={() => setOpen(false)} />}
    </div>
  );
}

interface SuggestionProps {
  register_no: string;
  name_kana: string;
  busy: boolean;
  onTake: (number: string) => void;
}

function Suggestion({ register_no, name_kana, busy, onTake }: SuggestionProps) {
  return (
    <>
      <p>{t('suggestion', { number: register_no, kana: name_kana })}</p>
      <div>
        <Button busy={busy} onClick={() => onTake(register_no)}>
          {busy ? t('working') : t('suggestion_take', { number: register_no })}
        </Button>
      </div>
    </>
  );
}

interface FixDialogProps {
  row: Row;
  send: (cells: Cells) => Promise<void>;
  onClose: () => void;
}

function FixDialog({ row, send, onClose }: FixDialogProps) {
  const first = valuesOf(row);
  const form = useForm(first);
  const whole = row.problems.some((problem) => WHOLE.includes(problem.code));
  const near = whole ? CELLS : CELLS.filter((cell) => row.problems.some((problem) => isAbout(problem, cell)));
  const others = CELLS.filter((cell) => !near.includes(cell));
  const field = (cell: Cell) => (
    <TextField
      key={cell}
      id={cell}
      label={t(`cell_${cell}`)}
      hint={cell === 'kind' ? t('cell_kind_hint') : undefined}
      max={200}
      value={form.values[cell]}
      error={form.errors[cell]}
      onValue={(value) => form.set(cell, value)}
    />
  );
  return (
    <Dialog title={t('fix_row_n', { n: numberText(row.row_no) })} onClose={onClose}>
      <p>{t(whole ? 'fix_whole' : 'fix_lead')}</p>
      <FormBox form={form} send={(values) => send(changed(first, values))}>
        {near.map(field)}
        {others.length > 0 && (
          <details open={near.length === 0}>
            <summary>{t('fix_others')}</summary>
            <div class="stack">{others.map(field)}</div>
          </details>
        )}
        <div class="row">
          <SendButton busy={form.busy}>{t('fix_send')}</SendButton>
          <Button look="text" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </FormBox>
    </Dialog>
  );
}

/** The cell of the column that a problem names; its value is the problem's. */
function namedBy({ column }: Problem): Cell | undefined {
  const named = column === null ? null : columnOf(column);
  return CELLS.find((cell) => cell === named);
}

const isAbout = (problem: Problem, cell: Cell): boolean =>
  namedBy(problem) === cell || (CELLS_OF[problem.code]?.includes(cell) ?? false);

/** What is known of the cells: written before, or told by a problem. */
function valuesOf(row: Row): Record<Cell, string> {
  const values = Object.fromEntries(CELLS.map((cell) => [cell, ''])) as Record<Cell, string>;
  for (const problem of row.problems) {
    const cell = namedBy(problem);
    if (cell && problem.value) values[cell] = problem.value;
  }
  for (const cell of CELLS) values[cell] = row.fixed?.cells[cell] ?? values[cell];
  return values;
}

/** Only what the person wrote is sent. */
function changed(before: Record<Cell, string>, values: Record<Cell, string>): Cells {
  return Object.fromEntries(CELLS.filter((cell) => values[cell] !== before[cell]).map((cell) => [cell, values[cell]]));
}
