// First login: a wizard that shows the step which `next` names, so it resumes where it was left.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { errorOf, type ApiError } from '../api/problem';
import { Button, LinkButton, Notice, PageTitle } from '../parts/basics';
import { CheckField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { GoTo } from '../parts/go_to';
import { ProblemNotice } from '../parts/load';
import { NewPasswordFields, checkNewPassword } from '../parts/new_password';
import { Steps } from '../parts/steps';
import { go } from '../router';
import { forget, refresh, session, useSession } from '../session';
import { useSite } from '../site';
import { t } from '../text/messages';
import { EmailWait } from './email_wait';
import { ProfileStep } from './profile';
import { looksLikeEmail } from './start';

const STEPS = ['terms', 'email', 'email_confirm', 'profile', 'password'] as const;

export function FirstLoginPage() {
  const { me } = useSession();
  const [otherEmail, setOtherEmail] = useState(false);
  const [shared, setShared] = useState(false);
  const [begun] = useState(() => Boolean(me?.next));
  if (!me) return null;
  if (!me.next) return begun ? <Finished /> : <GoTo path="/" />;
  const step = otherEmail && me.next === 'email_confirm' ? 'email' : me.next;
  return (
    <div class="stack wide read">
      <Steps
        label={t('first_steps')}
        steps={STEPS.map((name) => t(`step_${name}`))}
        now={STEPS.indexOf(step as (typeof STEPS)[number])}
      />
      <div class="stack" key={step}>
        {step === 'terms' && <TermsStep />}
        {step === 'email' && (
          <EmailStep
            done={(inUse) => {
              setOtherEmail(false);
              setShared(inUse);
            }}
          />
        )}
        {step === 'email_confirm' && <EmailWait shared={shared} onOther={() => setOtherEmail(true)} />}
        {step === 'profile' && <ProfileStep />}
        {step === 'password' && <PasswordStep />}
      </div>
    </div>
  );
}

/** What every step does after its command: `next` now names the following one. */
async function goOn(): Promise<void> {
  await refresh();
  window.scrollTo(0, 0);
}

function TermsStep() {
  const site = useSite();
  const form = useForm({ agree: false }, ({ agree }) => (agree ? {} : { agree: t('terms_must') }));
  if (!site) return null;
  const { version, text } = site.terms;
  return (
    <>
      <PageTitle>{t('terms_title')}</PageTitle>
      <FormBox
        form={form}
        send={async () => {
          await command('post', '/api/v1/me/terms', { body: { version } });
          await goOn();
        }}
      >
        <div class="terms" tabIndex={0} role="region" aria-label={t('terms_text')}>
          {text}
        </div>
        <CheckField
          id="agree"
          label={t('terms_agree')}
          value={form.values.agree}
          error={form.errors['agree']}
          onValue={(value) => form.set('agree', value)}
        />
        <div class="row">
          <SendButton busy={form.busy}>{t('terms_send')}</SendButton>
          <Decline />
        </div>
      </FormBox>
    </>
  );
}

/** Nothing is kept; the same postcard begins again another day. */
function Decline() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  async function leave(): Promise<void> {
    setBusy(true);
    try {
      await command('post', '/api/v1/me/terms/decline', { body: {} });
      forget();
      go('/login?left=1');
    } catch (cause) {
      setError(errorOf(cause));
      setBusy(false);
    }
  }
  return (
    <>
      <Button look="text" busy={busy} onClick={() => void leave()}>
        {t('terms_decline')}
      </Button>
      {error && <ProblemNotice error={error} />}
    </>
  );
}

function EmailStep({ done }: { done: (shared: boolean) => void }) {
  const form = useForm({ email: '' }, ({ email }) => (looksLikeEmail(email) ? {} : { email: t('email_wrong') }));
  return (
    <>
      <PageTitle>{t('email_title')}</PageTitle>
      <p>{t('email_lead')}</p>
      <FormBox
        form={form}
        send={async ({ email }) => {
          const { warnings } = await command('post', '/api/v1/me/email', { body: { email: email.trim() } });
          await goOn();
          done(warnings?.includes('email_in_use') ?? false);
        }}
      >
        <TextField
          id="email"
          type="email"
          inputMode="email"
          autocomplete="email"
          need
          label={t('email')}
          value={form.values.email}
          error={form.errors['email']}
          onValue={(value) => form.set('email', value)}
        />
        <div>
          <SendButton busy={form.busy}>{t('email_send')}</SendButton>
        </div>
      </FormBox>
    </>
  );
}

function PasswordStep() {
  const form = useForm({ password: '' }, checkNewPassword);
  return (
    <>
      <PageTitle>{t('own_password_title')}</PageTitle>
      <p>{t('own_password_lead')}</p>
      <FormBox
        form={form}
        send={async ({ password }) => {
          await call('put', '/api/v1/me/password', { body: { password } });
          await goOn();
        }}
      >
        {/* Password managers file the new password under this name. */}
        <input
          class="sr"
          type="text"
          autocomplete="username"
          value={session()?.doctor?.mamis_no ?? ''}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <NewPasswordFields form={form} />
        <div>
          <SendButton busy={form.busy}>{t('own_password_send')}</SendButton>
        </div>
      </FormBox>
    </>
  );
}

function Finished() {
  return (
    <div class="stack read">
      <PageTitle>{t('first_done')}</PageTitle>
      <Notice tone="good">
        <p>{t('first_done_detail', { mamis_no: session()?.doctor?.mamis_no ?? '' })}</p>
      </Notice>
      <div>
        <LinkButton look="main" href="/">
          {t('first_done_go')}
        </LinkButton>
      </div>
    </div>
  );
}
