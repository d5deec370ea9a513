// Signing in, and the same form again in a dialog when a session has ended.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { useSite } from '../site';
import { inTurn, type Place } from '../api/turn';
import { Button, Notice, PageTitle } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { PasswordField, SendButton, TextField } from '../parts/fields';
import { PasskeyButton } from '../parts/passkey_button';
import { FormBox, useForm, type Errors } from '../parts/form';
import { MaintenanceNotices } from '../parts/maintenance';
import { QueueNotice } from '../parts/queue';
import { go, here, safePath } from '../router';
import { signForSession } from '../api/passkey';
import { follow, forget, SECOND_STEP, session, signIn } from '../session';
import { dateText } from '../text/format';
import { later } from './later';
import { t } from '../text/messages';

const SecondStepForm = later(async () => (await import('./group_security')).SecondStepForm);

const empty = { login_id: '', password: '' };

function check(values: typeof empty): Errors {
  const errors: Errors = {};
  if (!values.login_id.trim()) errors['login_id'] = t('must_fill', { field: t('login_id') });
  if (!values.password) errors['password'] = t('must_fill', { field: t('password') });
  return errors;
}

/** Without login ID and password. */
async function byPasskey(after: (next: string) => void): Promise<void> {
  const proof = await signForSession();
  const me = await follow(await call('post', '/api/v1/session/passkey', { body: proof }));
  after(me?.next ?? '');
}

interface LoginFormProps {
  /** Runs when the session is there. */
  after: (next: string) => void;
  /** Before the fields' ids, where the page below may have such fields too. */
  prefix?: string;
}

/** The password is cleared after a failed try, the ID kept. */
function LoginForm({ after, prefix = '' }: LoginFormProps) {
  const form = useForm(empty, check);
  const [place, setPlace] = useState<Place>();
  const errors: Errors = {};
  for (const [field, text] of Object.entries(form.errors)) errors[prefix + field] = text;
  return (
    <FormBox
      form={{ ...form, errors }}
      send={async ({ login_id, password }) => {
        try {
          const me = await inTurn(() => signIn(login_id.trim(), password), setPlace);
          after(me?.next ?? '');
        } catch (cause) {
          form.set('password', '');
          throw cause;
        }
      }}
    >
      <TextField
        id={`${prefix}login_id`}
        label={t('login_id')}
        hint={t('login_id_hint')}
        autocomplete="username"
        value={form.values.login_id}
        error={form.errors['login_id']}
        onValue={(value) => form.set('login_id', value)}
      />
      <PasswordField
        id={`${prefix}password`}
        label={t('password')}
        autocomplete="current-password"
        value={form.values.password}
        error={form.errors['password']}
        onValue={(value) => form.set('password', value)}
      />
      <div>
        <SendButton busy={form.busy}>{t('login_send')}</SendButton>
      </div>
      {place && <QueueNotice place={place} />}
    </FormBox>
  );
}

/** The second factor keeps the address: the page asked for comes after it. */
function goOn(next: string): void {
  if (next !== SECOND_STEP) go(next ? '/first-login' : safePath(here().query.get('to')), { replace: true });
}

export function LoginPage() {
  const { query } = here();
  const left = query.get('left') === '1';
  return (
    <div class="two">
      <div class="stack">
        <PageTitle>{t('login_title')}</PageTitle>
        <MaintenanceNotices />
        {left && (
          <Notice tone="good">
            <p>{t('login_left')}</p>
          </Notice>
        )}
        <LoginForm after={goOn} />
        <PasskeyButton use={() => byPasskey(goOn)}>{t('login_passkey')}</PasskeyButton>
        <p>
          <a href="/reset">{t('forgot')}</a>
        </p>
        <div class="card soft-ground stack tight">
          <h2>{t('register_title')}</h2>
          <p>{t('register_lead')}</p>
          <p>
            <a href="/start">{t('register_caption')}</a>
          </p>
        </div>
      </div>
      <div class="aside stack wide">
        <Notices />
        <HelpLine />
      </div>
    </div>
  );
}

function Notices() {
  const site = useSite();
  return (
    <section class="stack" aria-labelledby="notices">
      <h2 id="notices">{t('notices')}</h2>
      {site && site.notices.length === 0 && <p class="soft">{t('notices_none')}</p>}
      <ul class="notices">
        {site?.notices.map((notice) => (
          <li key={notice.title + notice.published_on}>
            <time dateTime={notice.published_on}>{dateText(notice.published_on)}</time>
            <h3>{notice.title}</h3>
            <p>{notice.body}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function HelpLine() {
  const site = useSite();
  if (!site) return null;
  const { phone, hours, email } = site.helpline;
  return (
    <section class="stack tight" aria-labelledby="helpline">
      <h2 id="helpline">{t('helpline')}</h2>
      <p>{t('helpline_name')}</p>
      <p>
        <a class="phone num" href={`tel:${phone.replace(/[^0-9+]/g, '')}`}>
          {phone}
        </a>
      </p>
      <p>
        {t('hours')}: {hours}
        <br />
        {t('email')}: <a href={`mailto:${email}`}>{email}</a>
      </p>
    </section>
  );
}

/** Over the page whose session ended; what was typed there stays as it is. */
export function LoginAgain() {
  const [second, setSecond] = useState(() => session()?.next === SECOND_STEP);
  const leave = () => {
    forget();
    go('/login');
  };
  return (
    <Dialog title={t('session_ended')}>
      <p>{t('session_ended_detail')}</p>
      {second ? (
        <SecondStepForm prefix="again-" back={() => setSecond(false)} />
      ) : (
        <>
          <LoginForm prefix="again-" after={(next) => setSecond(next === SECOND_STEP)} />
          <PasskeyButton use={() => byPasskey(() => undefined)}>{t('login_passkey')}</PasskeyButton>
        </>
      )}
      <div>
        <Button look="text" onClick={leave}>
          {t('leave_page')}
        </Button>
      </div>
    </Dialog>
  );
}
