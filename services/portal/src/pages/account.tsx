// One's own account: password and, for doctors, the e-mail address.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { Button, Facts, Notice, PageTitle } from '../parts/basics';
import { PasswordField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { NewPasswordFields, checkNewPassword } from '../parts/new_password';
import { refresh, useSession } from '../session';
import { t, tOf } from '../text/messages';
import { looksLikeEmail } from './start';

const empty = { current_password: '', password: '' };

export function AccountPage() {
  const { me } = useSession();
  const [done, setDone] = useState(false);
  const form = useForm(empty, (values) => ({
    ...(values.current_password ? {} : { current_password: t('must_fill', { field: t('password_current') }) }),
    ...checkNewPassword(values),
  }));
  if (!me) return null;
  return (
    <div class="stack wide read">
      <div class="stack">
        <PageTitle>{t('account_title')}</PageTitle>
        <Facts
          rows={[
            [t('name'), me.account.name],
            [t('account_role'), tOf('role', me.account.role)],
            [t('login_id'), me.account.login_id],
          ]}
        />
      </div>
      <p>
        <a href="/account/security">{t('to_security')}</a>
      </p>
      <section class="stack" aria-labelledby="password-change">
        <h2 id="password-change">{t('password_title')}</h2>
        {done && (
          <Notice tone="good" alert>
            <p>{t('password_changed')}</p>
          </Notice>
        )}
        <FormBox
          form={form}
          send={async (values) => {
            setDone(false);
            await call('put', '/api/v1/me/password', { body: values });
            form.reset(empty);
            setDone(true);
            await refresh();
          }}
        >
          <PasswordField
            id="current_password"
            label={t('password_current')}
            autocomplete="current-password"
            value={form.values.current_password}
            error={form.errors['current_password']}
            onValue={(value) => form.set('current_password', value)}
          />
          <NewPasswordFields form={form} />
          <div>
            <SendButton busy={form.busy}>{t('link_reset_send')}</SendButton>
          </div>
        </FormBox>
      </section>
    </div>
  );
}

/** The new address counts once its mail's link was used; until then the old one stays. */
export function EmailChange({ pending }: { pending: string | null }) {
  const [open, setOpen] = useState(false);
  const [sent, setSent] = useState('');
  const form = useForm({ email: '' }, ({ email }) => (looksLikeEmail(email) ? {} : { email: t('email_wrong') }));
  const waiting = sent || pending;
  return (
    <div class="stack">
      {sent && (
        <Notice tone="good" alert>
          <p>{t('email_changed')}</p>
        </Notice>
      )}
      {waiting && <p class="soft">{t('email_pending', { email: waiting })}</p>}
      <div>
        <Button look="text" expanded={open} onClick={() => setOpen(!open)}>
          {t('email_change')}
        </Button>
      </div>
      {open && (
        <FormBox
          form={form}
          label={t('email_change')}
          send={async ({ email }) => {
            await command('post', '/api/v1/me/email', { body: { email: email.trim() } });
            setSent(email.trim());
            setOpen(false);
          }}
        >
          <TextField
            id="email"
            type="email"
            inputMode="email"
            autocomplete="email"
            size="middle"
            need
            label={t('email_new')}
            value={form.values.email}
            error={form.errors['email']}
            onValue={(value) => form.set('email', value)}
          />
          <div>
            <SendButton look="side" busy={form.busy}>
              {t('email_send')}
            </SendButton>
          </div>
        </FormBox>
      )}
    </div>
  );
}
