// Taking back what was posted: a whole upload, or single credits of a row; each asks for the reason.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Upload } from '../api/progress';
import type { Answer } from '../api/types';
import { may } from '../gen/access';
import { session } from '../session';
import { dateText, numberText, timeText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';
import { Button, Facts, Notice, Tag } from './basics';
import { Dialog } from './dialog';
import { AreaField, SendButton } from './fields';
import { FormBox, useForm } from './form';
import { LoadBox, useLoad } from './load';

export type CreditHistory = Answer<'/api/v1/me/credits/{entry_id}', 'get'>;
type Step = CreditHistory['history'][number];

const mayCorrect = (): boolean => may(session()?.account.role ?? '', 'attendance_correct');

/** An organiser or association by its name; the national one has none but its role. */
const officeText = (by: { role: string; office_name: string | null }): string => by.office_name ?? tOf('role', by.role);

interface ReasonProps {
  what: string;
  keep: string;
  send: (reason: string) => Promise<void>;
  close: () => void;
}

/** What cannot be taken back asks first; the reason goes to the doctor. */
function ReasonForm({ what, keep, send, close }: ReasonProps) {
  const form = useForm({ reason: '' }, ({ reason }) =>
    reason.trim() ? {} : { reason: t('must_fill', { field: t('correction_reason') }) },
  );
  return (
    <FormBox form={form} send={({ reason }) => send(reason.trim())}>
      <AreaField
        id="reason"
        need
        label={t('correction_reason')}
        hint={t('correction_reason_hint')}
        max={500}
        value={form.values.reason}
        error={form.errors['reason']}
        onValue={(value) => form.set('reason', value)}
      />
      <div class="row">
        <SendButton look="danger" busy={form.busy}>
          {what}
        </SendButton>
        <Button look="text" onClick={close}>
          {keep}
        </Button>
      </div>
    </FormBox>
  );
}

// ---- a whole upload ----

export function UndoNotice({ undo }: { undo: NonNullable<Upload['undo']> }) {
  return (
    <Notice tone="warn" title={t(undo.done_at ? 'undo_done' : 'undo_running')} alert>
      {!undo.done_at && <p>{t('undo_running_detail')}</p>}
      <Facts
        rows={[
          [t('correction_at'), timeText(undo.done_at ?? undo.accepted_at)],
          [t('correction_by'), officeText(undo)],
          [t('reason'), undo.reason],
        ]}
      />
      {undo.done_at && <p>{t('undo_counts')}</p>}
    </Notice>
  );
}

export function UndoPart({ upload, done }: { upload: Upload; done: () => void }) {
  const [open, setOpen] = useState(false);
  if (!mayCorrect() || upload.undo || upload.dry_run || upload.status === 'refused') return null;
  const path = { upload_id: upload.upload_id };
  return (
    <section class="stack noprint" aria-labelledby="undo">
      <h2 id="undo">{t('undo_title')}</h2>
      <p>{t('undo_lead')}</p>
      <div>
        <Button look="danger" onClick={() => setOpen(true)}>
          {t('undo_open')}…
        </Button>
      </div>
      {open && (
        <Dialog title={t('undo_open')} onClose={() => setOpen(false)}>
          <p>{t('undo_sure', { n: numberText(upload.counts.posted) })}</p>
          <ReasonForm
            what={t('undo_send')}
            keep={t('cancel_keep')}
            close={() => setOpen(false)}
            send={async (reason) => {
              await command('post', '/api/v1/uploads/{upload_id}/undo', { path, body: { reason } });
              setOpen(false);
              done();
            }}
          />
        </Dialog>
      )}
    </section>
  );
}

// ---- one row ----

export function RowCredits({ upload, rowNo }: { upload: Upload; rowNo: number }) {
  const [open, setOpen] = useState(false);
  const title = t('row_credits_of', { row: numberText(rowNo) });
  return (
    <>
      <Button look="text" label={title} onClick={() => setOpen(true)}>
        {t('row_credits_open')}
      </Button>
      {open && (
        <Dialog title={title} onClose={() => setOpen(false)}>
          <RowCreditList upload={upload} rowNo={rowNo} />
          <div>
            <Button onClick={() => setOpen(false)}>{t('close')}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function RowCreditList({ upload, rowNo }: { upload: Upload; rowNo: number }) {
  const [chosen, setChosen] = useState('');
  const path = { upload_id: upload.upload_id, row_no: rowNo };
  const loaded = useLoad(
    (signal) => call('get', '/api/v1/uploads/{upload_id}/rows/{row_no}/credits', { path, signal }),
    [upload.upload_id, rowNo],
  );
  return (
    <LoadBox from={loaded}>
      {({ items }) => (
        <div class="stack">
          {items.length === 0 && <p class="soft">{t('row_credits_none')}</p>}
          {items.map((credit) => (
            <div key={credit.entry_id} class="card stack tight">
              <CreditHead credit={credit} />
              <CreditSteps credit={credit} />
              {credit.status === 'posted' && mayCorrect() && chosen !== credit.entry_id && (
                <div>
                  <Button
                    look="danger"
                    label={t('cancel_of', { kind: credit.kind_name, units: unitText(credit.half_units) })}
                    onClick={() => setChosen(credit.entry_id)}
                  >
                    {t('cancel_open')}…
                  </Button>
                </div>
              )}
              {credit.status === 'posted' && chosen === credit.entry_id && (
                <ReasonForm
                  what={t('cancel_send')}
                  keep={t('cancel_keep')}
                  close={() => setChosen('')}
                  send={async (reason) => {
                    await command('post', '/api/v1/credits/{entry_id}/cancel', {
                      path: { entry_id: credit.entry_id },
                      body: { reason },
                    });
                    setChosen('');
                    loaded.reload();
                  }}
                />
              )}
            </div>
          ))}
        </div>
      )}
    </LoadBox>
  );
}

function CreditHead({ credit }: { credit: CreditHistory }) {
  return (
    <div class="row between">
      <p class="strong">
        {t('credit_step', { kind: credit.kind_name, units: unitText(credit.half_units) })}
        <span class="soft"> {tOf('programme', credit.programme)}</span>
      </p>
      <Tag tone={credit.status === 'posted' ? 'good' : 'plain'}>{tOf('credit', credit.status)}</Tag>
    </div>
  );
}

// ---- what became of a credit ----

export function CreditSteps({ credit }: { credit: CreditHistory }) {
  return (
    <ol class="timeline" aria-label={t('credit_history')}>
      {credit.history.map((step: Step) => (
        <li key={step.at + step.action}>
          <span class="strong">{tOf('credit_step', step.action)}</span>{' '}
          <span class="num">{timeText(step.at)}</span>
          <br />
          {t('credit_step', { kind: step.kind_name, units: unitText(step.half_units) })}
          <span class="soft"> {officeText(step)}</span>
          {step.reason && (
            <p>
              <span class="soft">{t('reason')}:</span> {step.reason}
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}

export function CreditFacts({ credit }: { credit: CreditHistory }) {
  return (
    <Facts
      rows={[
        [t('seminar'), `${credit.seminar_title}（${credit.seminar_no}）`],
        [t('held_on'), dateText(credit.held_on)],
        [t('programme'), tOf('programme', credit.programme)],
        [t('kind'), credit.kind_name],
        [t('units'), unitText(credit.half_units)],
      ]}
    />
  );
}
