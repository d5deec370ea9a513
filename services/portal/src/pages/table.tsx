// Which page an address means, for whom.
import type { VNode } from 'preact';
import { mayAs, type Action } from '../gen/access';
import { LinkButton, PageTitle } from '../parts/basics';
import { GoTo } from '../parts/go_to';
import { homeOf } from '../parts/layout';
import { match, type Place } from '../router';
import { SECOND_STEP, type Me } from '../session';
import { t } from '../text/messages';
import { CreditsPage } from './credits';
import { later } from './later';
import { LoginPage } from './login';
import { OverviewPage } from './overview';
import { SeminarPage, SeminarsPage } from './seminars';
import { UploadPage } from './upload';
import { UploadsPage } from './uploads';

const entry = () => import('./group_entry');
const AccountPage = later(async () => (await entry()).AccountPage);
const FirstLoginPage = later(async () => (await entry()).FirstLoginPage);
const LinkPage = later(async () => (await entry()).LinkPage);
const ResetPage = later(async () => (await entry()).ResetPage);
const StartPage = later(async () => (await entry()).StartPage);
const SignupPage = later(async () => (await import('./signup')).SignupPage);
const VerifyPage = later(async () => (await import('./verify')).VerifyPage);

const security = () => import('./group_security');
const SecondStepPage = later(async () => (await security()).SecondStepPage);
const SecurityPage = later(async () => (await security()).SecurityPage);

const doctor = () => import('./group_doctor');
const ApplyPage = later(async () => (await doctor()).ApplyPage);
const CertificatesPage = later(async () => (await doctor()).CertificatesPage);
const CreditPage = later(async () => (await doctor()).CreditPage);
const HandbookPage = later(async () => (await doctor()).HandbookPage);
const MyApplicationPage = later(async () => (await doctor()).MyApplicationPage);
const MyApplicationsPage = later(async () => (await doctor()).MyApplicationsPage);
const MyReadsPage = later(async () => (await doctor()).MyReadsPage);
const ProfilePage = later(async () => (await doctor()).ProfilePage);

const privacy = () => import('./group_privacy');
const CorrectionsPage = later(async () => (await privacy()).CorrectionsPage);
const DataPage = later(async () => (await privacy()).DataPage);
const ReissuesPage = later(async () => (await privacy()).ReissuesPage);
const MyCorrectionsPage = later(async () => (await privacy()).MyCorrectionsPage);
const DelegatesPage = later(async () => (await privacy()).DelegatesPage);
const DelegationPage = later(async () => (await privacy()).DelegationPage);
const DelegationsPage = later(async () => (await privacy()).DelegationsPage);

const seats = () => import('./my_seminars');
const MySeminarsPage = later(async () => (await seats()).MySeminarsPage);
const DelegatedSeminarsPage = later(async () => (await seats()).DelegatedSeminarsPage);

const office = () => import('./group_office');
const ReviewPage = later(async () => (await office()).ReviewPage);
const ReviewOnePage = later(async () => (await office()).ReviewOnePage);

const desk = () => import('./group_desk');
const AccountDeskPage = later(async () => (await desk()).AccountDeskPage);
const SignupsPage = later(async () => (await desk()).SignupsPage);
const SignupOnePage = later(async () => (await desk()).SignupOnePage);
const LinksPage = later(async () => (await desk()).LinksPage);

const membership = () => import('./group_membership');
const MergesPage = later(async () => (await membership()).MergesPage);
const MergeOnePage = later(async () => (await membership()).MergeOnePage);
const DeskOnePage = later(async () => (await membership()).DeskOnePage);
const DeskPage = later(async () => (await membership()).DeskPage);
const FileForPage = later(async () => (await membership()).FileForPage);
const FilePage = later(async () => (await membership()).FilePage);
const MembersPage = later(async () => (await membership()).MembersPage);
const MyMembershipPage = later(async () => (await membership()).MyMembershipPage);
const TrainingForPage = later(async () => (await membership()).TrainingForPage);
const TrainingPage = later(async () => (await membership()).TrainingPage);
const MyProcedurePage = later(async () => (await membership()).MyProcedurePage);
const MaintenancePage = later(async () => (await import('./maintenance')).MaintenancePage);

const people = () => import('./group_people');
const MemberPage = later(async () => (await people()).MemberPage);
const StaffPage = later(async () => (await people()).StaffPage);
const TokensPage = later(async () => (await people()).TokensPage);
const ReadsPage = later(async () => (await people()).ReadsPage);

type Values = Record<string, string>;
type Make = (values: Values) => VNode;

/** Without signing in. */
const OPEN: [pattern: string, make: Make][] = [
  ['/login', () => <LoginPage />],
  ['/start', () => <StartPage />],
  ['/reset', () => <ResetPage />],
  ['/link', () => <LinkPage />],
  ['/signup', () => <SignupPage />],
  ['/verify', () => <VerifyPage />],
];

const PAGES: [pattern: string, action: Action, make: Make][] = [
  ['/me', 'standing_read_own', () => <OverviewPage />],
  ['/me/credits', 'credit_read_own', () => <CreditsPage />],
  ['/me/credits/{id}', 'credit_read_own', ({ id }) => <CreditPage id={id!} />],
  ['/me/certificates', 'certificate_read_own', () => <CertificatesPage />],
  ['/me/handbook', 'handbook_read_own', () => <HandbookPage />],
  ['/me/profile', 'profile_read', () => <ProfilePage />],
  ['/me/reads', 'read_log_own', () => <MyReadsPage />],
  ['/me/delegates', 'delegate_manage', () => <DelegatesPage />],
  ['/me/data', 'data_export', () => <DataPage />],
  ['/me/corrections', 'correction_ask', () => <MyCorrectionsPage />],
  ['/corrections', 'correction_answer', () => <CorrectionsPage />],
  ['/me/seminars', 'seminar_signup', () => <MySeminarsPage />],
  ['/delegations', 'delegated_read', () => <DelegationsPage />],
  ['/delegations/{id}', 'delegated_read', ({ id }) => <DelegationPage id={id!} />],
  ['/delegations/{id}/seminars', 'delegated_signup', ({ id }) => <DelegatedSeminarsPage id={id!} />],
  ['/me/applications', 'application_read_own', () => <MyApplicationsPage />],
  ['/me/applications/{id}', 'application_read_own', ({ id }) => <MyApplicationPage id={id!} />],
  ['/me/apply/{programme}', 'application_submit', ({ programme }) => <ApplyPage programme={programme!} />],
  ['/me/procedures', 'procedure_read_own', () => <MyMembershipPage />],
  ['/me/procedures/new', 'procedure_file', () => <FilePage />],
  ['/me/training', 'procedure_file', () => <TrainingPage />],
  ['/me/procedures/{id}', 'procedure_read_own', ({ id }) => <MyProcedurePage id={id!} />],
  ['/applications', 'application_read', () => <ReviewPage />],
  ['/applications/{id}', 'application_read', ({ id }) => <ReviewOnePage id={id!} />],
  ['/desk', 'account_desk', () => <AccountDeskPage />],
  ['/desk/signups', 'signup_read', () => <SignupsPage />],
  ['/desk/signups/{id}', 'signup_read', ({ id }) => <SignupOnePage id={id!} />],
  ['/desk/links', 'link_read', () => <LinksPage />],
  ['/merges', 'merge_read', () => <MergesPage />],
  ['/merges/{id}', 'merge_read', ({ id }) => <MergeOnePage id={id!} />],
  ['/reissues', 'reissue_read', () => <ReissuesPage />],
  ['/procedures', 'procedure_read', () => <DeskPage />],
  ['/procedures/new', 'procedure_file_for', () => <FileForPage />],
  ['/procedures/training', 'procedure_file_for', () => <TrainingForPage />],
  ['/procedures/{id}', 'procedure_read', ({ id }) => <DeskOnePage id={id!} />],
  ['/members', 'member_read', () => <MembersPage />],
  ['/seminars', 'seminar_read', () => <SeminarsPage />],
  ['/seminars/{no}', 'seminar_read', ({ no }) => <SeminarPage no={no!} />],
  ['/uploads', 'upload_read', () => <UploadsPage />],
  ['/uploads/{id}', 'upload_read', ({ id }) => <UploadPage id={id!} />],
  ['/doctors', 'doctor_read', () => <MemberPage />],
  ['/staff', 'staff_manage', () => <StaffPage />],
  ['/tokens', 'token_manage', () => <TokensPage />],
  ['/reads', 'read_log_read', () => <ReadsPage />],
  ['/maintenance', 'maintenance_read', () => <MaintenancePage />],
  ['/account', 'account_password', () => <AccountPage />],
  ['/account/security', 'session_list', () => <SecurityPage />],
];

export function pageAt({ path }: Place, me: Me | null): VNode {
  if (me?.next === SECOND_STEP && path !== '/link') return keyed('/second-step', <SecondStepPage />);
  if (path === '/login' && me) return <GoTo path="/" />;
  for (const [pattern, make] of OPEN) if (match(pattern, path)) return keyed(path, make({}));
  if (!me) {
    const to = path === '/' || path === '/first-login' ? '' : `?to=${encodeURIComponent(path + location.search)}`;
    return <GoTo path={`/login${to}`} />;
  }
  if (path === '/first-login') return keyed(path, <FirstLoginPage />);
  if (me.next) return <GoTo path="/first-login" />;
  if (path === '/') return <GoTo path={homeOf(me.account)} />;
  for (const [pattern, action, make] of PAGES) {
    const values = match(pattern, path);
    if (values && mayAs(me.account, action)) return keyed(path, make(values));
  }
  return <NotFound />;
}

/** Another address is another page: nothing of the one before stays in it. */
function keyed(path: string, page: VNode): VNode {
  return (
    <div key={path} class="page">
      {page}
    </div>
  );
}

function NotFound() {
  return (
    <div class="stack read">
      <PageTitle>{t('not_found')}</PageTitle>
      <p>{t('not_found_detail')}</p>
      <div>
        <LinkButton href="/">{t('home')}</LinkButton>
      </div>
    </div>
  );
}
