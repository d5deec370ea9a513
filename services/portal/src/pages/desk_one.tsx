// One procedure before an office: where it stands, what changes, what this office can do.
import { useEffect, useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { may } from '../gen/access';
import { Facts, Notice, PageTitle, Tag } from '../parts/basics';
import { feeText } from '../parts/fees';
import { AreaField, SendButton } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { Changes, ProcedureFacts, ProcedureHistory, RouteLine, StageTag, type Procedure } from '../parts/procedure';
import { RejectButton } from '../parts/reject';
import { session } from '../session';
import { dateText } from '../text/format';
import { tm, tmOf } from '../text/membership';
import { t } from '../text/messages';

export function DeskOnePage({ id }: { id: string }) {
  const path = { procedure_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/procedures/{procedure_id}', { path, signal }), [id]);
  const [said, setSaid] = useState(history.state === 'sent' ? tm('sent') : '');
  useEffect(() => setSaid(history.state === 'sent' ? tm('sent') : ''), [id]);
  const done = (next: Procedure) => {
    loaded.put(next);
    setSaid(tm('acted', { stage: tmOf('stage', next.stage) }));
  };
  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(procedure) => (
          <>
            <PageTitle tag={<StageTag stage={procedure.stage} />}>
              {tm('one_title', { name: procedure.doctor?.name ?? '', kind: tmOf('kind', procedure.kind) })}
            </PageTitle>
            <RouteLine procedure={procedure} />
            <div class="cards">
              <ProcedureFacts procedure={procedure} />
              <DoctorFacts procedure={procedure} />
            </div>
            {procedure.reason && (
              <Notice tone="warn" title={tmOf('stage', procedure.stage)}>
                <p>{procedure.reason}</p>
              </Notice>
            )}
            <Changes procedure={procedure} />
            {said && (
              <Notice tone="good" alert>
                <p>{said}</p>
              </Notice>
            )}
            <Actions procedure={procedure} done={done} />
            <ProcedureHistory history={procedure.history} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

function DoctorFacts({ procedure }: { procedure: Procedure }) {
  const { doctor } = procedure;
  const path = { procedure_id: procedure.procedure_id };
  const fees = useLoad((signal) => call('get', '/api/v1/procedures/{procedure_id}/fee', { path, signal }), [path.procedure_id]).data;
  const fee = fees?.items[0];
  return (
    <Facts
      rows={[
        [tm('applicant'), doctor?.name],
        [tm('name_kana'), doctor?.name_kana],
        [tm('register_no'), doctor?.register_no],
        [tm('birth_on'), dateText(doctor?.birth_on)],
        [tm('mamis_no'), doctor?.mamis_no],
        [tm('fee_title'), fee && tm('fee_line', { year: String(fees.fiscal_year), category: tmOf('cat', fee.category), fee: feeText(fee) })],
        [tm('waiting_since'), dateText(procedure.stage_at)],
        [tm('overdue'), procedure.overdue && <Tag tone="bad">{dateText(procedure.due_on)}</Tag>],
      ]}
    />
  );
}

interface ActProps {
  procedure: Procedure;
  done: (next: Procedure) => void;
}

/** Only what this office may do at this stage; the server has the last word. */
function Actions({ procedure, done }: ActProps) {
  const { stage } = procedure;
  if (!may(session()?.account.role ?? '', 'procedure_decide') || !(procedure.mine || procedure.to_confirm)) return null;
  const props = { procedure, done };
  const waits = stage.includes('_wait_');
  const decides = procedure.mine && !waits && stage !== 'returned';
  const admits = procedure.kind === 'admission' && (stage === 'l1_review' || stage === 'l2_review');
  return (
    <section class="stack" aria-labelledby="actions">
      <h2 id="actions">{tm('actions')}</h2>
      {procedure.to_confirm && <ConfirmPart {...props} />}
      <div class="row">
        {decides && <PressPart {...props} action="approve" text={approveText(stage)} main />}
        {admits && <PressPart {...props} action="wait" awaits="board" text={tm('wait_board')} />}
        {admits && <PressPart {...props} action="wait" awaits="fee" text={tm('wait_fee')} />}
        {procedure.mine && waits && <PressPart {...props} action="met" text={tm('met')} main />}
        {procedure.mine && stage === 'returned' && <PressPart {...props} action="resubmit" text={tm('again')} main />}
        {procedure.mine && stage === 'returned' && <PressPart {...props} action="cancel" text={tm('cancel')} />}
        {decides && stage !== 'l3_record' && <RejectPart {...props} />}
      </div>
      {decides && <ReturnPart {...props} />}
    </section>
  );
}

function approveText(stage: string): string {
  if (stage === 'l1_receive' || stage === 'l2_pass') return tm('approve_pass');
  if (stage === 'old_l1_release') return tm('approve_release');
  if (stage === 'l3_record') return tm('approve_record');
  return stage === 'old_l2_confirm' || stage === 'l3_confirm' ? tm('approve_confirm') : tm('approve');
}

type Press = 'approve' | 'met' | 'wait' | 'resubmit' | 'cancel' | 'confirm';

function PressPart(props: ActProps & { action: Press; awaits?: 'board' | 'fee'; text: string; main?: boolean }) {
  const form = useForm({});
  const path = { procedure_id: props.procedure.procedure_id };
  const send = () =>
    props.action === 'wait'
      ? command('post', '/api/v1/procedures/{procedure_id}/wait', { path, body: { awaits: props.awaits! } })
      : command('post', `/api/v1/procedures/{procedure_id}/${props.action}`, { path, body: {} });
  return (
    <FormBox form={form} label={props.text} send={async () => props.done(await send())}>
      <SendButton look={props.main ? 'main' : 'side'} busy={form.busy}>
        {props.text}
      </SendButton>
    </FormBox>
  );
}

function ConfirmPart(props: ActProps) {
  return (
    <Notice tone="info" title={tm('to_confirm')}>
      <p>{tm('confirm_lead')}</p>
      <PressPart {...props} action="confirm" text={tm('confirm')} main />
    </Notice>
  );
}

function ReturnPart({ procedure, done }: ActProps) {
  const form = useForm({ reason: '' }, ({ reason }) =>
    reason.trim() ? {} : { reason: t('must_fill', { field: tm('reason') }) },
  );
  const path = { procedure_id: procedure.procedure_id };
  return (
    <section class="card stack" aria-labelledby="return">
      <h3 id="return">{tm('give_back_title')}</h3>
      <FormBox
        form={form}
        send={async ({ reason }) => {
          const body = { reason: reason.trim() };
          done(await command('post', '/api/v1/procedures/{procedure_id}/return', { path, body }));
        }}
      >
        <AreaField
          id="reason"
          need
          label={tm('reason')}
          hint={tm('reason_hint')}
          max={500}
          value={form.values.reason}
          error={form.errors['reason']}
          onValue={(value) => form.set('reason', value)}
        />
        <div>
          <SendButton look="side" busy={form.busy}>
            {tm('give_back')}
          </SendButton>
        </div>
      </FormBox>
    </section>
  );
}

function RejectPart({ procedure, done }: ActProps) {
  const path = { procedure_id: procedure.procedure_id };
  return (
    <RejectButton
      title={tm('reject')}
      text={tm('reject')}
      sure={tm('reject_sure')}
      label={tm('reason')}
      hint={tm('reason_hint')}
      keep={tm('keep')}
      reject={async (reason) =>
        done(await command('post', '/api/v1/procedures/{procedure_id}/reject', { path, body: { reason } }))
      }
    />
  );
}
