// What an administrator does: invite somebody, and suspend, restore or end an account.
import { useState } from 'preact/hooks';
import { command } from '../api/client';
import type { components } from '../gen/api';
import { session } from '../session';
import { t, tOf, type Key } from '../text/messages';
import { looksLikeEmail } from '../pages/start';
import { Button } from './basics';
import { Dialog } from './dialog';
import { AreaField, SelectField, SendButton, TextField } from './fields';
import { FormBox, useForm } from './form';

export type Staff = components['schemas']['Staff'];
type Role = Staff['role'];
export type Change = 'invite' | 'suspend' | 'restore' | 'end';

/** Whom an administrator of a role invites; the server has the last word. */
const INVITES: Record<string, Role[]> = {
  organiser: ['organiser'],
  office_l1: ['office_l1'],
  office_l2: ['office_l2'],
  office_l3: ['office_l3', 'call_centre'],
  admin: ['office_l1', 'office_l2', 'office_l3', 'organiser', 'call_centre', 'auditor', 'admin'],
};

export function InviteForm({ done }: { done: (staff: Staff) => void }) {
  const own = session()?.account.role ?? '';
  const roles = INVITES[own] ?? [];
  const empty = { name: '', email: '', role: roles[0] ?? 'office_l2', code: '', administrator: false, unused_days: '180' };
  const form = useForm(empty, (values) => ({
    name: values.name.trim() ? undefined : t('must_fill', { field: t('name') }),
    email: looksLikeEmail(values.email) ? undefined : t('email_wrong'),
    unused_days:
      /^\d{1,3}$/.test(values.unused_days) && Number(values.unused_days) >= 1 && Number(values.unused_days) <= 366
        ? undefined
        : t('staff_unused_wrong'),
  }));
  const { values, errors } = form;
  return (
    <FormBox
      form={form}
      label={t('staff_invite')}
      send={async () => {
        const code = values.code.normalize('NFKC').trim();
        const staff = await command('post', '/api/v1/staff', {
          body: {
            name: values.name.trim(),
            email: values.email.trim(),
            role: values.role,
            administrator: values.administrator,
            unused_days: Number(values.unused_days),
            ...(code ? { code } : {}),
          },
        });
        form.reset(empty);
        done(staff);
      }}
    >
      <TextField
        id="name"
        label={t('name')}
        size="middle"
        need
        value={values.name}
        error={errors['name']}
        onValue={(value) => form.set('name', value)}
      />
      <TextField
        id="email"
        type="email"
        inputMode="email"
        label={t('email')}
        size="middle"
        need
        value={values.email}
        error={errors['email']}
        onValue={(value) => form.set('email', value)}
      />
      {roles.length > 1 && (
        <SelectField
          id="role"
          label={t('staff_role')}
          value={values.role}
          options={roles.map((role): [string, string] => [role, tOf('role', role)])}
          onValue={(value) => form.set('role', value as Role)}
        />
      )}
      {own === 'admin' && (
        <TextField
          id="code"
          label={t('staff_code')}
          hint={t('staff_code_hint')}
          size="short"
          value={values.code}
          error={errors['code']}
          onValue={(value) => form.set('code', value)}
        />
      )}
      <TextField
        id="unused_days"
        label={t('staff_unused')}
        size="short"
        inputMode="numeric"
        need
        value={values.unused_days}
        error={errors['unused_days']}
        onValue={(value) => form.set('unused_days', value.normalize('NFKC'))}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={values.administrator}
          onChange={(event) => form.set('administrator', event.currentTarget.checked)}
        />
        {t('staff_administrator')}
      </label>
      <div>
        <SendButton busy={form.busy}>{t('staff_invite_send')}</SendButton>
      </div>
    </FormBox>
  );
}

/** What can be done in this state. */
export function changesOf(staff: Staff): Change[] {
  switch (staff.status) {
    case 'invited':
      return ['invite', 'suspend', 'end'];
    case 'active':
      return ['suspend', 'end'];
    case 'suspended':
    case 'expired':
      return ['restore', 'end'];
    case 'ended':
      return [];
  }
}

const VERBS: Record<Change, Key> = {
  invite: 'staff_invite_again',
  suspend: 'staff_suspend',
  restore: 'staff_restore',
  end: 'staff_end',
};
const SURE: Partial<Record<Change, Key>> = { suspend: 'staff_sure_suspend', end: 'staff_sure_end' };

async function send(staff: Staff, change: Change, reason: string): Promise<Staff> {
  const path = { account_id: staff.account_id };
  switch (change) {
    case 'invite':
      return command('post', '/api/v1/staff/{account_id}/invite', { path, body: {} });
    case 'restore':
      return command('post', '/api/v1/staff/{account_id}/restore', { path, body: {} });
    case 'suspend':
      return command('post', '/api/v1/staff/{account_id}/suspend', { path, body: { reason } });
    case 'end':
      return command('post', '/api/v1/staff/{account_id}/end', { path, body: { reason } });
  }
}

/** The buttons of one account, and the question that each asks. */
export function StaffActions({ staff, done }: { staff: Staff; done: (staff: Staff) => void }) {
  const [asked, setAsked] = useState<Change>();
  if (staff.account_id === session()?.account.id) return null;
  return (
    <div class="row">
      {changesOf(staff).map((change) => (
        <Button key={change} look="text" onClick={() => setAsked(change)}>
          {t(VERBS[change])}
        </Button>
      ))}
      {asked && (
        <ChangeDialog
          staff={staff}
          change={asked}
          close={() => setAsked(undefined)}
          done={(next) => {
            setAsked(undefined);
            done(next);
          }}
        />
      )}
    </div>
  );
}

interface ChangeProps {
  staff: Staff;
  change: Change;
  close: () => void;
  done: (staff: Staff) => void;
}

function ChangeDialog({ staff, change, close, done }: ChangeProps) {
  const sure = SURE[change];
  const form = useForm({ reason: '' }, ({ reason }) => ({
    reason: !sure || reason.trim() ? undefined : t('must_fill', { field: t('staff_reason') }),
  }));
  return (
    <Dialog title={t('staff_change_of', { name: staff.name })} onClose={close}>
      <FormBox form={form} send={async ({ reason }) => done(await send(staff, change, reason.trim()))}>
        {sure && (
          <>
            <p>{t(sure)}</p>
            <AreaField
              id="reason"
              label={t('staff_reason')}
              need
              max={300}
              value={form.values.reason}
              error={form.errors['reason']}
              onValue={(value) => form.set('reason', value)}
            />
          </>
        )}
        <div class="row">
          <SendButton look={change === 'end' ? 'danger' : 'main'} busy={form.busy}>
            {t(VERBS[change])}
          </SendButton>
          <Button onClick={close}>{t('staff_back')}</Button>
        </div>
      </FormBox>
    </Dialog>
  );
}
