// What an office does with an application. Each is a small form of its own; what is final asks first.
import type { ComponentChildren } from 'preact';
import { command } from '../api/client';
import { halfUnitsOf, numberText, unitNumber, unitText } from '../text/format';
import { t, tOf } from '../text/messages';
import type { Application } from './application';
import { AreaField, ChoiceField, SendButton, TextField } from './fields';
import { FormBox, useForm, type Errors } from './form';
import { RejectButton } from './reject';

interface PartProps {
  application: Application;
  done: (next: Application) => void;
}

function Part({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section class="card stack" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  );
}

export function HandbookPart({ application, done }: PartProps) {
  const lines = application.lines.filter((line) => line.declared_half_units > 0);
  const initial: Record<string, string> = {};
  lines.forEach((line, index) => {
    initial[`lines-${index}-half_units`] = unitNumber(line.verified_half_units ?? line.declared_half_units);
  });
  const form = useForm(initial, (values) => {
    const errors: Errors = {};
    lines.forEach((line, index) => {
      const id = `lines-${index}-half_units`;
      if (halfUnitsOf(values[id]!) === null) errors[id] = t('verify_wrong', { kind: line.kind_name });
    });
    return errors;
  });
  const path = { application_id: application.application_id };
  return (
    <Part id="verify" title={t('verify_title')}>
      <p>{t('verify_lead')}</p>
      <FormBox
        form={form}
        send={async (values) => {
          const body = {
            lines: lines.map((line, index) => ({
              kind: line.kind,
              half_units: halfUnitsOf(values[`lines-${index}-half_units`]!) ?? 0,
            })),
          };
          done(await command('post', '/api/v1/applications/{application_id}/handbook', { path, body }));
        }}
      >
        {lines.map((line, index) => {
          const id = `lines-${index}-half_units`;
          return (
            <TextField
              key={line.kind}
              id={id}
              size="short"
              inputMode="decimal"
              label={t('verify_line', { kind: line.kind_name, units: unitText(line.declared_half_units) })}
              value={form.values[id] ?? ''}
              error={form.errors[id]}
              onValue={(value) => form.set(id, value)}
            />
          );
        })}
        <div>
          <SendButton look="side" busy={form.busy}>
            {t('verify_send')}
          </SendButton>
        </div>
      </FormBox>
    </Part>
  );
}

type Fee = Application['fee'];

export function FeePart({ application, done }: PartProps) {
  const form = useForm<{ fee: Fee }>({ fee: application.fee });
  const path = { application_id: application.application_id };
  return (
    <Part id="fee-part" title={t('fee_title')}>
      {application.fee_yen !== undefined && <p>{t('fee_amount', { yen: numberText(application.fee_yen) })}</p>}
      <FormBox
        form={form}
        send={async (body) => done(await command('post', '/api/v1/applications/{application_id}/fee', { path, body }))}
      >
        <ChoiceField
          id="fee"
          legend={t('status')}
          value={form.values.fee}
          options={(['awaited', 'paid', 'waived'] as const).map((fee) => [fee, tOf('fee', fee)])}
          error={form.errors['fee']}
          onValue={(value) => form.set('fee', value as Fee)}
        />
        <div>
          <SendButton look="side" busy={form.busy}>
            {t('fee_send')}
          </SendButton>
        </div>
      </FormBox>
    </Part>
  );
}

export function ForwardPart({ application, done }: PartProps) {
  const form = useForm({ override_reason: '' });
  const path = { application_id: application.application_id };
  return (
    <Part id="forward" title={t('forward_title')}>
      <FormBox
        form={form}
        send={async ({ override_reason }) => {
          const reason = override_reason.trim();
          const body = reason ? { override_reason: reason } : {};
          done(await command('post', '/api/v1/applications/{application_id}/forward', { path, body }));
        }}
      >
        <AreaField
          id="override_reason"
          label={t('forward_override')}
          hint={t('forward_override_hint')}
          max={500}
          value={form.values.override_reason}
          error={form.errors['override_reason']}
          onValue={(value) => form.set('override_reason', value)}
        />
        <div>
          <SendButton busy={form.busy}>{t('forward_send')}</SendButton>
        </div>
      </FormBox>
    </Part>
  );
}

export function ReturnPart({ application, done }: PartProps) {
  const form = useForm({ reason: '', until: '' }, ({ reason, until }) => ({
    ...(reason.trim() ? {} : { reason: t('must_fill', { field: t('return_reason') }) }),
    ...(until ? {} : { until: t('must_fill', { field: t('return_until') }) }),
  }));
  const path = { application_id: application.application_id };
  return (
    <Part id="return" title={t('return_title')}>
      <FormBox
        form={form}
        send={async ({ reason, until }) => {
          const body = { reason: reason.trim(), until };
          done(await command('post', '/api/v1/applications/{application_id}/return', { path, body }));
        }}
      >
        <AreaField
          id="reason"
          need
          label={t('return_reason')}
          hint={t('return_reason_hint')}
          max={500}
          value={form.values.reason}
          error={form.errors['reason']}
          onValue={(value) => form.set('reason', value)}
        />
        <TextField
          id="until"
          type="date"
          size="short"
          need
          label={t('return_until')}
          value={form.values.until}
          error={form.errors['until']}
          onValue={(value) => form.set('until', value)}
        />
        <div>
          <SendButton look="side" busy={form.busy}>
            {t('return_send')}
          </SendButton>
        </div>
      </FormBox>
    </Part>
  );
}

export function RejectPart({ application, done }: PartProps) {
  const path = { application_id: application.application_id };
  return (
    <Part id="reject" title={t('reject_title')}>
      <p>{t('reject_sure')}</p>
      <div>
        <RejectButton
          title={t('reject_title')}
          text={t('reject_send')}
          sure={t('reject_sure')}
          label={t('reject_reason')}
          hint={t('return_reason_hint')}
          keep={t('cancel')}
          reject={async (reason) =>
            done(await command('post', '/api/v1/applications/{application_id}/reject', { path, body: { reason } }))
          }
        />
      </div>
    </Part>
  );
}

export function ApprovePart({ application, done }: PartProps) {
  const form = useForm({});
  const path = { application_id: application.application_id };
  return (
    <Part id="approve" title={t('approve_title')}>
      <p>{t('approve_lead')}</p>
      <FormBox
        form={form}
        send={async () =>
          done(await command('post', '/api/v1/applications/{application_id}/approve', { path, body: {} }))
        }
      >
        <div>
          <SendButton busy={form.busy}>{t('approve_send')}</SendButton>
        </div>
      </FormBox>
    </Part>
  );
}
