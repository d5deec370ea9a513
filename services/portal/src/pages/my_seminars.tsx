// Signing up to seminars: a doctor for oneself, a delegate for a doctor. The same page, other addresses.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { Button, PageTitle } from '../parts/basics';
import { TextField } from '../parts/fields';
import { useLoad, usePages, type Pages } from '../parts/load';
import {
  OpenSeminarList,
  SignUpNotice,
  type Deeds,
  type OpenSeminar,
  type OpenSeminars,
  type Told,
} from '../parts/open_seminars';
import { here, setQuery } from '../router';
import { t } from '../text/messages';
import { tse } from '../text/seats';

const PAGE_ITEMS = 20;

interface Whose {
  title: string;
  mine: Pages<OpenSeminar, OpenSeminars>;
  coming: Pages<OpenSeminar, OpenSeminars>;
  signUp: Deeds['signUp'];
  cancel: Deeds['cancel'];
  back?: ComponentChildren;
}

export function MySeminarsPage() {
  const q = here().query.get('q') ?? '';
  const mine = usePages<OpenSeminar, OpenSeminars>(
    (cursor, signal) => call('get', '/api/v1/me/signups', { query: { cursor, limit: PAGE_ITEMS }, signal }),
    [],
  );
  const coming = usePages<OpenSeminar, OpenSeminars>(
    (cursor, signal) => call('get', '/api/v1/me/seminars', { query: { q, cursor, limit: PAGE_ITEMS }, signal }),
    [q],
  );
  return (
    <SignUpPage
      title={tse('title')}
      mine={mine}
      coming={coming}
      signUp={(body) => command('post', '/api/v1/me/signups', { body })}
      cancel={(seminar_no) => command('post', '/api/v1/me/signups/{seminar_no}/cancel', { path: { seminar_no } })}
    />
  );
}

export function DelegatedSeminarsPage({ id }: { id: string }) {
  const q = here().query.get('q') ?? '';
  const path = { delegation_id: id };
  const doctors = useLoad((signal) => call('get', '/api/v1/delegations', { signal }), []);
  const name = doctors.data?.items.find((item) => item.delegation_id === id)?.doctor_name;
  const lists = (signed_up: boolean, words: string) => (cursor: string, signal: AbortSignal) =>
    call('get', '/api/v1/delegations/{delegation_id}/seminars', {
      path,
      query: { q: words, signed_up, cursor, limit: PAGE_ITEMS },
      signal,
    });
  const mine = usePages<OpenSeminar, OpenSeminars>(lists(true, ''), [id]);
  const coming = usePages<OpenSeminar, OpenSeminars>(lists(false, q), [id, q]);
  return (
    <SignUpPage
      title={name ? tse('for_doctor', { name }) : tse('title')}
      mine={mine}
      coming={coming}
      signUp={(body) => command('post', '/api/v1/delegations/{delegation_id}/signups', { path, body })}
      cancel={(seminar_no) =>
        command('post', '/api/v1/delegations/{delegation_id}/signups/{seminar_no}/cancel', {
          path: { ...path, seminar_no },
        })
      }
      back={name && <a href={`/delegations/${id}`}>{tse('to_credits', { name })}</a>}
    />
  );
}

function SignUpPage({ title, mine, coming, signUp, cancel, back }: Whose) {
  const [text, setText] = useState(here().query.get('q') ?? '');
  const [told, setTold] = useState<Told>();
  const deeds = {
    signUp,
    cancel,
    done: (answer: Told) => {
      setTold(answer);
      mine.reload();
      coming.reload();
    },
  };
  return (
    <div class="stack wide read">
      <div class="stack">
        <PageTitle>{title}</PageTitle>
        {back && <p>{back}</p>}
        <p>{tse('lead')}</p>
      </div>
      <SignUpNotice told={told} />
      <OpenSeminarList id="mine" title={tse('mine')} pages={mine} empty={tse('mine_none')} deeds={deeds} />
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
      <OpenSeminarList id="coming" title={tse('coming')} pages={coming} empty={tse('none')} deeds={deeds} />
    </div>
  );
}
