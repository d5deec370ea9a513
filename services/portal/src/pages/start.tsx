// How to register, for people who hold a postcard in their hand; and asking for a reset link.
import { call } from '../api/client';
import { LinkButton, Notice, PageTitle } from '../parts/basics';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { useState } from 'preact/hooks';
import { t } from '../text/messages';
import { HelpLine } from './login';

export function StartPage() {
  return (
    <div class="stack wide read">
      <div class="stack">
        <PageTitle>{t('start_title')}</PageTitle>
        <p>{t('start_lead')}</p>
        <ol>
          <li>{t('start_1')}</li>
          <li>{t('start_2')}</li>
          <li>{t('start_3')}</li>
          <li>{t('start_4')}</li>
        </ol>
        <div>
          <LinkButton look="main" href="/login">
            {t('start_go')}
          </LinkButton>
        </div>
        <p>{t('start_no_card')}</p>
        <p>
          <a href="/signup">{t('start_signup')}</a>
        </p>
      </div>
      <HelpLine />
    </div>
  );
}

export const looksLikeEmail = (text: string): boolean => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim());

/** Says the same for known and unknown addresses, as the server does. */
export function ResetPage() {
  const [sent, setSent] = useState(false);
  const form = useForm({ email: '' }, ({ email }) => (looksLikeEmail(email) ? {} : { email: t('email_wrong') }));
  return (
    <div class="stack read">
      <PageTitle>{t('forgot_title')}</PageTitle>
      {sent ? (
        <Notice tone="good" title={t('forgot_sent')} alert>
          <p>{t('forgot_sent_detail')}</p>
        </Notice>
      ) : (
        <>
          <p>{t('forgot_lead')}</p>
          <FormBox
            form={form}
            send={async ({ email }) => {
              await call('post', '/api/v1/password-resets', { body: { email: email.trim() } });
              setSent(true);
            }}
          >
            <TextField
              id="email"
              type="email"
              inputMode="email"
              autocomplete="email"
              size="middle"
              label={t('email')}
              value={form.values.email}
              error={form.errors['email']}
              onValue={(value) => form.set('email', value)}
            />
            <div>
              <SendButton busy={form.busy}>{t('send')}</SendButton>
            </div>
          </FormBox>
        </>
      )}
      <p>
        <a href="/login">{t('start_go')}</a>
      </p>
    </div>
  );
}
