// One's own sign-in: second factor, recovery codes, where one is signed in.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { errorOf, type ApiError } from '../api/problem';
import type { Answer } from '../api/types';
import { Button, Facts, Notice, PageTitle, Tag } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { LoadBox, ProblemNotice, useLoad, type Loaded } from '../parts/load';
import { PasskeyAdd, PasskeyList } from '../parts/passkeys';
import { RecoveryCodes, TotpStart } from '../parts/totp';
import { dateText, timeText } from '../text/format';
import { ts } from '../text/security';

type Factor = Answer<'/api/v1/me/second-factor', 'get'>;
type Sessions = Answer<'/api/v1/me/sessions', 'get'>;
type Session = Sessions['items'][number];

const readFactor = (signal: AbortSignal) => call('get', '/api/v1/me/second-factor', { signal });
const readSessions = (signal: AbortSignal) => call('get', '/api/v1/me/sessions', { signal });

/** One change at a time: what it said when it was done, or why it was not. */
function useDeed(reload: () => void) {
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState('');
  const [error, setError] = useState<ApiError>();
  async function run(deed: () => Promise<string>): Promise<void> {
    setBusy(true);
    setDone('');
    setError(undefined);
    try {
      setDone(await deed());
      reload();
    } catch (cause) {
      setError(errorOf(cause));
    } finally {
      setBusy(false);
    }
  }
  const said = (
    <>
      {done && (
        <Notice tone="good" alert>
          <p>{done}</p>
        </Notice>
      )}
      {error && <ProblemNotice error={error} />}
    </>
  );
  return { busy, run: (deed: () => Promise<string>) => void run(deed), said };
}

export function SecurityPage() {
  const factor = useLoad(readFactor, []);
  const sessions = useLoad(readSessions, []);
  const reload = () => {
    factor.reload();
    sessions.reload();
  };
  return (
    <div class="stack wide read">
      <PageTitle>{ts('title')}</PageTitle>
      <section class="stack" aria-labelledby="second-factor">
        <h2 id="second-factor">{ts('factor_title')}</h2>
        <p>{ts('factor_lead')}</p>
        <LoadBox from={factor}>{(data) => <FactorBox factor={data} reload={reload} />}</LoadBox>
      </section>
      <section class="stack" aria-labelledby="sessions">
        <h2 id="sessions">{ts('sessions_title')}</h2>
        <p>{ts('sessions_lead')}</p>
        <SessionsBox from={sessions} />
      </section>
    </div>
  );
}

function FactorBox({ factor, reload }: { factor: Factor; reload: () => void }) {
  const [codes, setCodes] = useState<string[]>([]);
  const [adding, setAdding] = useState(false);
  const [asking, setAsking] = useState(false);
  const deed = useDeed(reload);
  const added = (first: string[], said: string) => {
    setAdding(false);
    setCodes(first);
    deed.run(async () => said);
  };
  const remove = () => {
    setAsking(false);
    deed.run(async () => {
      await call('delete', '/api/v1/me/second-factor/totp', {});
      return ts('app_removed');
    });
  };
  const removePasskey = ({ passkey_id }: Factor['passkeys'][number]) =>
    deed.run(async () => {
      await call('delete', '/api/v1/me/passkeys/{passkey_id}', { path: { passkey_id } });
      return ts('passkey_removed');
    });
  const any = factor.totp_since !== null || factor.passkeys.length > 0;
  const renew = () =>
    deed.run(async () => {
      const made = await call('post', '/api/v1/me/second-factor/recovery-codes', {});
      setCodes(made.recovery_codes);
      return '';
    });
  return (
    <>
      {deed.said}
      {codes.length > 0 && <RecoveryCodes codes={codes} kept={() => setCodes([])} />}
      {factor.required && <p>{ts('factor_required')}</p>}
      <Facts
        rows={[
          [ts('app'), factor.totp_since ? ts('app_since', { date: dateText(factor.totp_since) }) : ts('app_none')],
          [ts('codes_title'), any && ts('codes_left', { n: factor.recovery_codes_left })],
        ]}
      />
      {adding && <TotpStart done={(first) => added(first, ts('enrol_done'))} />}
      <div class="row">
        {!factor.totp_since && !adding && <Button onClick={() => setAdding(true)}>{ts('app_add')}</Button>}
        {any && (
          <Button busy={deed.busy} onClick={renew}>
            {ts('codes_new')}
          </Button>
        )}
        {factor.totp_since && (
          <Button look="danger" busy={deed.busy} onClick={() => setAsking(true)}>
            {ts('app_remove')}
          </Button>
        )}
      </div>
      <h3>{ts('passkeys')}</h3>
      <p>{ts('passkeys_lead')}</p>
      <PasskeyList passkeys={factor.passkeys} busy={deed.busy} remove={removePasskey} />
      <PasskeyAdd done={(first) => added(first, ts('passkey_added'))} />
      {asking && (
        <Dialog title={ts('app_remove')} onClose={() => setAsking(false)}>
          <p>{ts('app_remove_ask')}</p>
          <div class="row">
            <Button look="danger" onClick={remove}>
              {ts('app_remove')}
            </Button>
            <Button look="text" onClick={() => setAsking(false)}>
              {ts('cancel')}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function SessionsBox({ from }: { from: Loaded<Sessions> }) {
  const deed = useDeed(from.reload);
  const endOne = (session: Session) =>
    deed.run(async () => {
      await call('delete', '/api/v1/me/sessions/{session_id}', { path: { session_id: session.session_id } });
      return ts('session_ended');
    });
  const endOthers = () =>
    deed.run(async () => {
      await call('delete', '/api/v1/me/sessions', {});
      return ts('sessions_ended');
    });
  return (
    <>
      {deed.said}
      <LoadBox from={from}>
        {({ items }) => (
          <>
            <ul class="sessions">
              {items.map((session) => (
                <SessionLine key={session.session_id} session={session} busy={deed.busy} end={() => endOne(session)} />
              ))}
            </ul>
            {items.length > 1 ? (
              <div>
                <Button look="danger" busy={deed.busy} onClick={endOthers}>
                  {ts('sessions_end')}
                </Button>
              </div>
            ) : (
              <p class="soft">{ts('sessions_only')}</p>
            )}
          </>
        )}
      </LoadBox>
    </>
  );
}

function SessionLine({ session, busy, end }: { session: Session; busy: boolean; end: () => void }) {
  const device = session.device || ts('session_unknown');
  return (
    <li class="row between">
      <div>
        <strong>{device}</strong> {session.current && <Tag tone="good">{ts('session_current')}</Tag>}
        <br />
        <span class="soft">
          {ts('session_begun', { time: timeText(session.created_at) })}
          <br />
          {ts('session_seen', { time: timeText(session.seen_at) })}
        </span>
      </div>
      {!session.current && (
        <Button busy={busy} label={ts('session_end_of', { device })} onClick={end}>
          {ts('session_end')}
        </Button>
      )}
    </li>
  );
}
