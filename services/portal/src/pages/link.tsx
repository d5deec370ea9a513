// Where links in mails lead: /link#SECRET. Opening it changes nothing (mail scanners do that);
// only the button's POST uses the link. The secret leaves the address when it was used.
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import { LinkButton, Notice, PageTitle } from '../parts/basics';
import { SendButton } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { NewPasswordFields, checkNewPassword } from '../parts/new_password';
import { go } from '../router';
import { refresh, session } from '../session';
import { later } from './later';
import { t, type Key } from '../text/messages';

type Stage = 'ask' | 'password' | 'confirmed' | 'reset' | 'licence' | 'delegate' | 'accepted';

const LicenceForm = later(async () => (await import('./signup')).LicenceForm);

export function LinkPage() {
  const [link, setLink] = useState(() => location.hash.slice(1));
  const [stage, setStage] = useState<Stage>('ask');
  useEffect(() => {
    // Another mail's link, opened in this tab.
    const again = () => {
      if (!location.hash) return;
      setLink(location.hash.slice(1));
      setStage('ask');
    };
    addEventListener('hashchange', again);
    return () => removeEventListener('hashchange', again);
  }, []);
  if (!link)
    return (
      <div class="stack read">
        <PageTitle>{t('link_title')}</PageTitle>
        <Notice tone="bad" title={t('link_none')}>
          <p>{t('link_none_detail')}</p>
        </Notice>
      </div>
    );
  if (stage === 'password') return <PasswordForm link={link} words={RESET} done={() => setStage('reset')} />;
  if (stage === 'licence') return <LicenceForm link={link} done={clean} />;
  if (stage === 'delegate') return <PasswordForm link={link} words={DELEGATE} done={() => setStage('accepted')} />;
  if (stage === 'reset' || stage === 'accepted') {
    const words = stage === 'reset' ? RESET : DELEGATE;
    return (
      <div class="stack read">
        <PageTitle>{t(words.done)}</PageTitle>
        <Notice tone="good">
          <p>{t(words.doneDetail)}</p>
        </Notice>
        <div>
          <LinkButton look="main" href={session() ? '/' : '/login'}>
            {t(session() ? 'home' : 'start_go')}
          </LinkButton>
        </div>
      </div>
    );
  }
  if (stage === 'confirmed')
    return (
      <div class="stack read">
        <PageTitle>{t('link_confirmed')}</PageTitle>
        <Notice tone="good">
          <p>{t('link_confirmed_detail')}</p>
        </Notice>
        <div>
          <LinkButton look="main" href={session() ? '/first-login' : '/login'}>
            {t('link_go_on')}
          </LinkButton>
        </div>
      </div>
    );
  return <AskForm link={link} onStage={setStage} />;
}

/** The address keeps no secret once it is used, also not in the history. */
const clean = () => history.replaceState(null, '', '/link');

function AskForm({ link, onStage }: { link: string; onStage: (stage: Stage) => void }) {
  const form = useForm({});
  return (
    <div class="stack read">
      <PageTitle>{t('link_title')}</PageTitle>
      <FormBox
        form={form}
        send={async () => {
          const used = await call('post', '/api/v1/links', { body: { link } });
          if (used.purpose === 'delegate_invite' && used.next) return onStage('delegate');
          if (used.purpose === 'password_reset' || used.purpose === 'staff_invite') return onStage('password');
          if (used.purpose === 'signup_confirm') return onStage('licence');
          if (used.purpose === 'first_login') {
            // It stays good until registration is done; the mail keeps it for that, not the address.
            clean();
            await refresh();
            return go('/first-login');
          }
          clean();
          if (used.purpose === 'delegate_invite') return onStage('accepted');
          onStage('confirmed');
          if (session() && (await refresh())?.next) go('/first-login', { replace: true });
        }}
      >
        <p>{t('link_lead')}</p>
        <div>
          <SendButton busy={form.busy}>{t('link_use')}</SendButton>
        </div>
      </FormBox>
    </div>
  );
}

interface Words {
  title: Key;
  lead?: Key;
  send: Key;
  done: Key;
  doneDetail: Key;
}

const RESET: Words = {
  title: 'link_reset_title',
  send: 'link_reset_send',
  done: 'link_reset_done',
  doneDetail: 'link_reset_done_detail',
};
const DELEGATE: Words = {
  title: 'link_delegate_title',
  lead: 'link_delegate_lead',
  send: 'link_delegate_send',
  done: 'link_delegate_done',
  doneDetail: 'link_delegate_done_detail',
};

function PasswordForm({ link, words, done }: { link: string; words: Words; done: () => void }) {
  const form = useForm({ password: '' }, checkNewPassword);
  return (
    <div class="stack read">
      <PageTitle>{t(words.title)}</PageTitle>
      {words.lead && <p>{t(words.lead)}</p>}
      <FormBox
        form={form}
        send={async ({ password }) => {
          await call('post', '/api/v1/links', { body: { link, password } });
          clean();
          await refresh(); // every session ended, and a new one began
          done();
        }}
      >
        <NewPasswordFields form={form} />
        <div>
          <SendButton busy={form.busy}>{t(words.send)}</SendButton>
        </div>
      </FormBox>
    </div>
  );
}
