// Sign-ups of people without a postcard: the queue, and one of them with the copy of the licence.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { may } from '../gen/access';
import { Button, Facts, LinkButton, Notice, PageTitle, Tag } from '../parts/basics';
import { SelectField } from '../parts/fields';
import { LoadBox, ListFoot, useLoad, usePages } from '../parts/load';
import { ReasonDialog } from '../parts/reason_dialog';
import { Table } from '../parts/table';
import { here, setQuery } from '../router';
import { session } from '../session';
import { td } from '../text/desk';
import { dateText, timeText } from '../text/format';
import { t } from '../text/messages';

type Signups = Answer<'/api/v1/desk/signups', 'get'>;
type Signup = Signups['items'][number];

const STATUSES = ['review', 'accepted', 'refused'] as const;

export function SignupsPage() {
  const status = STATUSES.find((name) => name === (here().query.get('status') ?? 'review'));
  const pages = usePages<Signup, Signups>(
    (cursor, signal) =>
      call('get', '/api/v1/desk/signups', {
        query: { ...(status ? { status } : {}), ...(cursor ? { cursor } : {}), limit: 50 },
        signal,
      }),
    [status],
  );
  return (
    <div class="stack wide">
      <PageTitle>{td('signups_title')}</PageTitle>
      <SelectField
        id="status"
        label={t('review_filter')}
        value={status ?? 'all'}
        options={[['all', t('all')], ...STATUSES.map((name): [string, string] => [name, td(`signup_${name}`)])]}
        onValue={(value) => setQuery({ status: value })}
      />
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={td('signups_list')}
              columns={[
                { id: 'submitted_at', label: td('submitted_at'), kind: 'date', cell: (item) => timeText(item.submitted_at) },
                {
                  id: 'name',
                  label: t('name'),
                  head: true,
                  cell: (item) => <a href={`/desk/signups/${item.signup_id}`}>{item.name}</a>,
                },
                { id: 'name_kana', label: t('name_kana'), cell: (item) => item.name_kana },
                { id: 'register_no', label: t('register_no'), kind: 'tight', cell: (item) => item.register_no },
                { id: 'birth_on', label: t('birth_on'), kind: 'date', cell: (item) => dateText(item.birth_on) },
                {
                  id: 'state',
                  label: td('state'),
                  kind: 'tight',
                  cell: (item) => (
                    <>
                      {td(`signup_${item.status}`)} {item.known && <Tag tone="warn">{td('known')}</Tag>}
                    </>
                  ),
                },
              ]}
              rows={pages.items}
              keyOf={(item) => item.signup_id}
              empty={td('signups_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}

export function SignupOnePage({ id }: { id: string }) {
  const path = { signup_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/desk/signups/{signup_id}', { path, signal }), [id]);
  const [asked, setAsked] = useState<'accept' | 'refuse'>();
  const [said, setSaid] = useState('');

  async function decide(reason: string): Promise<void> {
    if (asked === 'accept') await command('post', '/api/v1/desk/signups/{signup_id}/accept', { path, body: { reason } });
    else await command('post', '/api/v1/desk/signups/{signup_id}/refuse', { path, body: { reason } });
    setSaid(td(asked === 'accept' ? 'signup_accepted_done' : 'signup_refused_done'));
    setAsked(undefined);
    loaded.put(await call('get', '/api/v1/desk/signups/{signup_id}', { path }));
  }

  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(signup) => (
          <>
            <PageTitle tag={<Tag>{td(`signup_${signup.status}`)}</Tag>}>{td('signup_one', { name: signup.name })}</PageTitle>
            {said && (
              <Notice tone="good" alert>
                <p>{said}</p>
              </Notice>
            )}
            <SignupFacts signup={signup} />
            <Hints signup={signup} />
            <div>
              <LinkButton download href={`/api/v1/desk/signups/${id}/licence`}>
                {td('licence_save')}
              </LinkButton>
            </div>
            {signup.status === 'review' && may(session()?.account.role ?? '', 'signup_decide') && (
              <div class="row">
                <Button look="main" onClick={() => setAsked('accept')}>
                  {td('signup_accept')}
                </Button>
                <Button look="danger" onClick={() => setAsked('refuse')}>
                  {td('signup_refuse')}
                </Button>
              </div>
            )}
          </>
        )}
      </LoadBox>
      {asked && (
        <ReasonDialog
          title={td(asked === 'accept' ? 'signup_accept' : 'signup_refuse')}
          action={td(asked === 'accept' ? 'signup_accept' : 'signup_refuse')}
          look={asked === 'accept' ? 'main' : 'danger'}
          send={decide}
          close={() => setAsked(undefined)}
        >
          <p>{td(asked === 'accept' ? 'signup_accept_lead' : 'signup_refuse_lead')}</p>
        </ReasonDialog>
      )}
    </div>
  );
}

function SignupFacts({ signup }: { signup: Signup }) {
  return (
    <Facts
      rows={[
        [t('name'), signup.name],
        [t('name_kana'), signup.name_kana],
        [t('sex'), t(signup.sex === 'M' ? 'sex_m' : 'sex_f')],
        [t('birth_on'), dateText(signup.birth_on)],
        [t('register_no'), signup.register_no],
        [td('licensed_on'), dateText(signup.licensed_on)],
        [t('email'), signup.email],
        [td('submitted_at'), timeText(signup.submitted_at)],
        [td('decided_at'), timeText(signup.decided_at)],
        [td('reason'), signup.reason],
      ]}
    />
  );
}

/** What speaks against a second account, side by side; nothing is picked for the person who decides. */
function Hints({ signup }: { signup: Signup }) {
  const { known } = signup;
  const same = (value: boolean | null) => td(value === null ? 'not_on_record' : value ? 'agrees' : 'differs');
  return (
    <>
      {known && signup.status === 'review' && (
        <Notice tone="warn" title={td(known.has_account ? 'known_account' : 'known_doctor')}>
          <Facts
            rows={[
              [t('name'), known.name],
              [t('name_kana'), same(known.same_name)],
              [t('birth_on'), same(known.same_birth_on)],
              [td('licensed_on'), same(known.same_licensed_on)],
            ]}
          />
        </Notice>
      )}
      {signup.email_in_use && signup.status === 'review' && (
        <Notice tone="warn">
          <p>{td('email_in_use')}</p>
        </Notice>
      )}
    </>
  );
}
