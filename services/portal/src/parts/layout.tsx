// The frame of every page: skip link, header, menu of the role, main, footer.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { errorOf } from '../api/problem';
import { may, mayAs, type Action } from '../gen/access';
import { redraw, signOut, type Me } from '../session';
import { useSite } from '../site';
import { calendar, mayChoose, setCalendar } from '../text/calendar';
import { lang, type Lang } from '../text/lang';
import { t, type Key } from '../text/messages';
import { Button, Notice } from './basics';
import { MarkIcon } from './icons';

type Item = [path: string, text: Key];

const MENU: [path: string, text: Key, action: Action][] = [
  ['/me', 'nav_overview', 'standing_read_own'],
  ['/me/credits', 'nav_credits', 'credit_read_own'],
  ['/me/seminars', 'nav_signup', 'seminar_signup'],
  ['/me/applications', 'nav_applications', 'application_read_own'],
  ['/me/handbook', 'nav_handbook', 'handbook_read_own'],
  ['/me/certificates', 'nav_certificates', 'certificate_read_own'],
  ['/me/procedures', 'nav_membership', 'procedure_read_own'],
  ['/me/profile', 'nav_profile', 'profile_read'],
  ['/delegations', 'nav_delegations', 'delegated_read'],
  ['/applications', 'nav_review', 'application_read'],
  ['/desk', 'nav_account_desk', 'account_desk'],
  ['/desk/signups', 'nav_signups', 'signup_read'],
  ['/desk/links', 'nav_links', 'link_read'],
  ['/merges', 'nav_merges', 'merge_read'],
  ['/procedures', 'nav_desk', 'procedure_read'],
  ['/members', 'nav_members', 'member_read'],
  ['/corrections', 'nav_corrections', 'correction_answer'],
  ['/reissues', 'nav_reissues', 'reissue_read'],
  ['/seminars', 'nav_seminars', 'seminar_read'],
  ['/uploads', 'nav_uploads', 'upload_read'],
  ['/tokens', 'nav_tokens', 'token_manage'],
  ['/doctors', 'nav_doctors', 'doctor_read'],
  ['/reads', 'nav_reads', 'read_log_read'],
  ['/staff', 'nav_staff', 'staff_manage'],
  ['/maintenance', 'nav_maintenance', 'maintenance_read'],
];
const ACCOUNT: Item = ['/account', 'nav_account'];

type Account = Me['account'];

export function menuOf(account: Account): Item[] {
  const items: Item[] = MENU.filter(([, , action]) => mayAs(account, action)).map(([path, text]) => [path, text]);
  return may(account.role, 'profile_read') ? items : [...items, ACCOUNT];
}

/** Where a person of this role begins. */
export const homeOf = (account: Account): string => menuOf(account)[0]![0];

/** The menu's longest path that the page's path begins with. */
function currentItem(items: Item[], path: string): string {
  const fits = items.map(([item]) => item).filter((item) => path === item || path.startsWith(`${item}/`));
  return fits.sort((a, b) => b.length - a.length)[0] ?? '';
}

interface LayoutProps {
  me: Me | null;
  path: string;
  onLang: (lang: Lang) => void;
  children: ComponentChildren;
}

export function Layout({ me, path, onLang, children }: LayoutProps) {
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        {t('skip')}
      </a>
      <Header me={me} onLang={onLang} />
      {me && !me.next && <Menu items={menuOf(me.account)} path={path} />}
      <main id="main" tabIndex={-1}>
        <div class="band">
          {me && <MailNotice me={me} />}
          {children}
        </div>
      </main>
      <Footer help={path !== '/login' && path !== '/start'} />
    </>
  );
}

function toMain(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** The address on file takes no mail: nothing we send arrives until it is changed. */
function MailNotice({ me }: { me: Me }) {
  if (!me.email_undeliverable || me.next) return null;
  return (
    <Notice tone="warn" title={t('mail_refused')}>
      <p>{t('mail_refused_detail', { email: me.account.email ?? '' })}</p>
      <p>
        <a href="/account">{t('mail_refused_change')}</a>
      </p>
    </Notice>
  );
}

const nameOf = ({ account }: Me): string =>
  account.role === 'doctor' ? t('signed_in_doctor', { name: account.name }) : account.name;

function Header({ me, onLang }: { me: Me | null; onLang: (lang: Lang) => void }) {
  const site = useSite();
  const other: Lang = lang() === 'ja' ? 'en' : 'ja';
  return (
    <header class="head">
      <div class="band">
        <a class="brand" href="/">
          <MarkIcon />
          <span>
            <strong>MAMIS</strong>
            <small>{site?.name ?? t('brand_sub')}</small>
          </span>
        </a>
        <div class="tools">
          {me && <span class="who">{nameOf(me)}</span>}
          <button type="button" class="btn text" lang={other} onClick={() => onLang(other)}>
            {t('to_english')}
          </button>
          {me && lang() === 'ja' && mayChoose(me.account.role) && <CalendarChoice />}
          {me && <SignOut />}
        </div>
      </div>
    </header>
  );
}

function CalendarChoice() {
  const era = calendar() === 'era';
  return (
    <Button
      look="text"
      onClick={() => {
        setCalendar(era ? 'western' : 'era');
        redraw();
      }}
    >
      {t(era ? 'to_western' : 'to_era')}
    </Button>
  );
}

function SignOut() {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState('');
  async function leave(): Promise<void> {
    setBusy(true);
    try {
      await signOut();
    } catch (cause) {
      setFailed(errorOf(cause).problem.title);
      setBusy(false);
    }
  }
  return (
    <>
      <Button look="text" busy={busy} onClick={() => void leave()}>
        {t('sign_out')}
      </Button>
      {failed && (
        <span class="error-text" role="alert">
          {failed}
        </span>
      )}
    </>
  );
}

function Menu({ items, path }: { items: Item[]; path: string }) {
  const current = currentItem(items, path);
  return (
    <nav class="nav" aria-label={t('main_nav')}>
      <div class="band">
        <ul>
          {items.map(([href, text]) => (
            <li key={href}>
              <a href={href} aria-current={href === current ? (href === path ? 'page' : 'true') : undefined}>
                {t(text)}
              </a>
            </li>
          ))}
        </ul>
      </div>
    </nav>
  );
}

/** `help`: false on pages that show the help line themselves. */
function Footer({ help }: { help: boolean }) {
  const site = useSite();
  if (!site) return <footer class="foot" />;
  const { phone, hours, email } = site.helpline;
  return (
    <footer class="foot">
      <div class="band">
        {help && (
          <p>
            <span class="strong">{t('helpline')}</span> {t('helpline_name')}
            <br />
            {t('phone')} <a href={`tel:${phone.replace(/[^0-9+]/g, '')}`}>{phone}</a> {hours}
            <br />
            {t('email')} <a href={`mailto:${email}`}>{email}</a>
          </p>
        )}
        <p>
          <a href="/verify">{t('proof_title')}</a>
        </p>
        <p class="soft">{site.disclaimer}</p>
      </div>
    </footer>
  );
}
