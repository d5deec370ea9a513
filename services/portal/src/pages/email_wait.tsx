// Waiting for the link of the confirmation mail: asks every few seconds while the page is seen.
import { useEffect, useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { errorOf, type ApiError } from '../api/problem';
import { Button, Notice, PageTitle } from '../parts/basics';
import { ProblemNotice, useLoad } from '../parts/load';
import { refresh } from '../session';
import { t } from '../text/messages';

const ASK_EVERY_MS = 4000;

export function EmailWait({ shared, onOther }: { shared: boolean; onOther: () => void }) {
  const [again, setAgain] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const profile = useLoad((signal) => call('get', '/api/v1/me/profile', { signal }), []);
  const email = profile.data?.pending_email ?? profile.data?.email ?? '';

  useEffect(() => {
    // `refresh` shows the next step by itself; a failed question is asked again at the next turn.
    const ask = () => {
      if (document.visibilityState === 'visible') refresh().catch(() => undefined);
    };
    const timer = setInterval(ask, ASK_EVERY_MS);
    document.addEventListener('visibilitychange', ask);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }, []);

  async function send(): Promise<void> {
    setBusy(true);
    setError(undefined);
    try {
      await command('post', '/api/v1/me/email', { body: { email } });
      setAgain(true);
    } catch (cause) {
      setError(errorOf(cause));
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <PageTitle>{t('email_wait_title')}</PageTitle>
      <p>{t('email_wait_lead', { email: email || t('email_wait_any') })}</p>
      <p class="soft">{t('email_waiting')}</p>
      {shared && (
        <Notice tone="warn" title={t('email_shared')} alert>
          <p>{t('email_shared_detail')}</p>
        </Notice>
      )}
      {again && (
        <Notice tone="good" alert>
          <p>{t('email_sent_again')}</p>
        </Notice>
      )}
      {error && <ProblemNotice error={error} />}
      <div class="row">
        {email && (
          <Button busy={busy} onClick={() => void send()}>
            {t('email_again')}
          </Button>
        )}
        <Button look="text" onClick={onOther}>
          {t('email_other')}
        </Button>
      </div>
    </>
  );
}
