// Seminars one may post for: search, one seminar with its sessions, and the files sent for it.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import type { Upload } from '../api/progress';
import type { Answer } from '../api/types';
import { may } from '../gen/access';
import { later } from './later';
import type { components } from '../gen/api';
import { Button, Facts, Notice, PageTitle, Tag } from '../parts/basics';
import { TextField } from '../parts/fields';
import { HandEntry } from '../parts/hand_entry';
import { LoadBox, ListFoot, useLoad, usePages } from '../parts/load';
import { Table, type Column } from '../parts/table';
import { TemplateLinks } from '../parts/template_links';
import { UploadForm } from '../parts/upload_form';
import { UploadsTable } from '../parts/uploads_table';
import { here, setQuery } from '../router';
import { session } from '../session';
import { clockText, dateText, numberText, periodText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';

const ApplicantsSection = later(async () => (await import('../parts/applicants')).ApplicantsSection);

type Seminars = Answer<'/api/v1/seminars', 'get'>;
type Summary = Seminars['items'][number];
type Seminar = components['schemas']['Seminar'];
type Session = components['schemas']['SeminarSession'];
type Uploads = Answer<'/api/v1/uploads', 'get'>;

const dayRange = (from: string | null, to: string | null): string =>
  from === to ? dateText(from) : periodText(from, to);

export function SeminarsPage() {
  const q = here().query.get('q') ?? '';
  const [text, setText] = useState(q);
  const pages = usePages<Summary, Seminars>(
    (cursor, signal) => call('get', '/api/v1/seminars', { query: { q, cursor, limit: 50 }, signal }),
    [q],
  );
  return (
    <div class="stack wide">
      <PageTitle>{t('seminars_title')}</PageTitle>
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setQuery({ q: text.trim() });
        }}
      >
        <TextField id="q" type="search" label={t('seminars_search')} value={text} max={100} onValue={setText} />
        <Button submit>{t('search')}</Button>
      </form>
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={t('seminars_list')}
              hideCaption
              columns={summaryColumns()}
              rows={pages.items}
              keyOf={(seminar) => seminar.seminar_no}
              off={(seminar) => seminar.status === 'cancelled'}
              empty={t('seminars_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

const summaryColumns = (): Column<Summary>[] => [
  {
    id: 'title',
    label: t('seminar_title'),
    head: true,
    cell: (seminar) => <a href={`/seminars/${seminar.seminar_no}`}>{seminar.title}</a>,
  },
  { id: 'no', label: t('seminar_no'), kind: 'tight', cell: (seminar) => seminar.seminar_no },
  { id: 'held', label: t('held_on'), cell: (seminar) => dayRange(seminar.held_from, seminar.held_to) },
  {
    id: 'sessions',
    label: t('sessions_total'),
    kind: 'num',
    cell: (seminar) => t('sessions_n', { n: seminar.sessions_total }),
  },
  { id: 'organiser', label: t('organiser_name'), cell: (seminar) => seminar.organiser_name },
  {
    id: 'status',
    label: t('status'),
    kind: 'tight',
    cell: (seminar) => (seminar.status === 'cancelled' ? <Tag tone="bad">{t('seminar_cancelled')}</Tag> : null),
  },
];

export function SeminarPage({ no }: { no: string }) {
  const path = { seminar_no: no };
  const loaded = useLoad((signal) => call('get', '/api/v1/seminars/{seminar_no}', { path, signal }), [no]);
  const uploads = usePages<Upload, Uploads>(
    (cursor, signal) => call('get', '/api/v1/uploads', { query: { seminar_no: no, cursor, limit: 20 }, signal }),
    [no],
  );
  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(seminar) => (
          <>
            <PageTitle tag={seminar.status === 'cancelled' && <Tag tone="bad">{t('seminar_cancelled')}</Tag>}>
              {seminar.title}
            </PageTitle>
            <div class="read">
              <Facts
                rows={[
                  [t('seminar_no'), <span class="num">{seminar.seminar_no}</span>],
                  [t('held_on'), dayRange(seminar.held_from, seminar.held_to)],
                  [t('organiser_name'), seminar.organiser_name],
                ]}
              />
            </div>
            <SendSection seminar={seminar} />
            {may(session()?.account.role ?? '', 'applicant_read') && <ApplicantsSection no={no} />}
            <LoadBox from={uploads}>
              {() => (
                <section class="stack" aria-labelledby="uploads">
                  <h2 id="uploads">{t('uploads_of')}</h2>
                  <UploadsTable caption={t('uploads_of')} hideCaption items={uploads.items} />
                  <ListFoot pages={uploads} />
                </section>
              )}
            </LoadBox>
            <section class="stack" aria-labelledby="sessions">
              <h2 id="sessions">{t('sessions')}</h2>
              <Table
                caption={t('sessions')}
                hideCaption
                columns={sessionColumns()}
                rows={seminar.sessions}
                keyOf={(item) => item.session_no}
                empty=""
              />
            </section>
          </>
        )}
      </LoadBox>
    </div>
  );
}

function SendSection({ seminar }: { seminar: Seminar }) {
  if (!may(session()?.account.role ?? '', 'attendance_post')) return null;
  return (
    <section class="stack" aria-labelledby="send">
      <h2 id="send">{t('upload_title')}</h2>
      {seminar.status === 'cancelled' ? (
        <Notice tone="warn">
          <p>{t('upload_cancelled_seminar')}</p>
        </Notice>
      ) : (
        <>
          <p>{t('upload_lead')}</p>
          <TemplateLinks seminar={seminar} />
          <UploadForm seminarNo={seminar.seminar_no} severalSessions={seminar.sessions.length > 1} />
          <HandEntry seminar={seminar} />
          <details>
            <summary>{t('upload_columns')}</summary>
            <ul>
              <li>{t('upload_columns_1')}</li>
              <li>{t('upload_columns_2')}</li>
              <li>{t('upload_columns_3')}</li>
            </ul>
          </details>
        </>
      )}
    </section>
  );
}

const sessionColumns = (): Column<Session>[] => [
  {
    id: 'no',
    label: t('session'),
    head: true,
    cell: (item) => (
      <>
        {t('session_n', { n: item.session_no })} {item.title}
      </>
    ),
  },
  {
    id: 'time',
    label: t('time'),
    cell: (item) => (
      <>
        {dateText(item.held_on)}
        <br />
        {t('time_range', { from: clockText(item.starts_at), to: clockText(item.ends_at) })}
        <br />
        <span class="soft">{t('grace', { n: item.grace_minutes })}</span>
      </>
    ),
  },
  { id: 'delivery', label: t('delivery'), kind: 'tight', cell: (item) => tOf('delivery', item.delivery) },
  { id: 'capacity', label: t('capacity'), kind: 'num', cell: (item) => item.capacity && numberText(item.capacity) },
  { id: 'offers', label: t('offers'), cell: (item) => <Offers offers={item.offers} /> },
];

/** Of one programme's kinds a doctor receives exactly one: they are joined by "or". */
function Offers({ offers }: { offers: Session['offers'] }) {
  return (
    <>
      {offers.map((offer) => (
        <div key={offer.programme}>
          {offer.kinds
            .map((kind) => `${kind.kind_name} ${unitText(kind.half_units)}`)
            .join(` ${t('or')} `)}
        </div>
      ))}
    </>
  );
}
