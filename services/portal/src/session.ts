// Who is signed in. The cookie is out of reach of scripts; what GET /me answers is kept here.
import { useEffect, useState } from 'preact/hooks';
import { call, setCsrfToken, setHooks } from './api/client';
import { ApiError } from './api/problem';
import type { Answer } from './api/types';
import { go } from './router';
import { calendarOf } from './text/calendar';

export type Me = Answer<'/api/v1/me', 'get'>;
/** undefined: not asked yet; null: nobody is signed in. */
type Session = Me | null | undefined;

let current: Session;
/** What the page waits for: a promise that a dialog ends. */
interface Wait {
  promise: Promise<boolean>;
  end: (good: boolean) => void;
}

function newWait(): Wait {
  let end: (good: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => (end = resolve));
  return { promise, end };
}

/** Set while the page waits for a new sign-in after its session ended; `me`: who was signed in. */
let waiting: (Wait & { me: Me }) | null = null;
/** Set while the person is asked to prove again who they are. */
let proving: Wait | null = null;
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of [...listeners]) listener();
}

function take(me: Session): void {
  current = me;
  calendarOf(me?.account ?? null);
  if (me) setCsrfToken(me.csrf_token);
  tell();
}

/** Draws everything anew: how dates are written has changed. */
export const redraw = (): void => tell();

export function session(): Session {
  return current;
}

/** Behind the dialog to sign in again the page stays that of who was signed in. */
export function useSession(): { me: Session; expired: boolean; proving: boolean } {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((count) => count + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return { me: waiting ? waiting.me : current, expired: waiting !== null, proving: proving !== null };
}

/** Reads who is signed in: at the start, after steps of the first login, when asked to stay. */
export async function refresh(): Promise<Me | null> {
  try {
    const me = await call('get', '/api/v1/me', {});
    take(me);
    return me;
  } catch (cause) {
    if (cause instanceof ApiError && cause.problem.status === 401) {
      take(null);
      return null;
    }
    throw cause;
  }
}

/** `next` of somebody whose password was right and whose second factor is still to come. */
export const SECOND_STEP = 'second_factor';

/** Goes on as the session that was just given, or whose token was renewed. */
export async function follow(given: { csrf_token: string }): Promise<Me | null> {
  setCsrfToken(given.csrf_token);
  const me = await refresh();
  if (waiting && me && me.next !== SECOND_STEP) {
    const { end, me: before } = waiting;
    waiting = null;
    const same = before.account.id === me.account.id;
    end(same);
    tell();
    if (!same) go('/', { replace: true }); // somebody else: nothing of the page may stay
  }
  return me;
}

export async function signIn(loginId: string, password: string): Promise<Me | null> {
  return follow(await call('post', '/api/v1/session', { body: { login_id: loginId, password } }));
}

/** The dialog's end: proved, or given up. */
export function endProving(good: boolean): void {
  const end = proving?.end;
  proving = null;
  tell();
  end?.(good);
}

export async function signOut(): Promise<void> {
  try {
    await call('delete', '/api/v1/session', {});
  } catch (cause) {
    // A session that is gone already is what was wanted.
    if (!(cause instanceof ApiError) || cause.problem.status !== 401) throw cause;
  }
  forget();
  go('/login?left=1');
}

/** Gives up a session that ended: the page and what was typed on it go. */
export function forget(): void {
  const end = waiting?.end;
  waiting = null;
  setCsrfToken('');
  take(null);
  end?.(false);
}

setHooks({
  async signedOut() {
    if (!current) return false; // nobody was signed in on this page
    if (!waiting) {
      waiting = { ...newWait(), me: current };
      tell();
    }
    return waiting.promise;
  },
  proveAgain() {
    proving ??= newWait();
    tell();
    return proving.promise;
  },
  stepFirst() {
    // The page's frame shows the step that `next` names.
    void refresh().then(() => go('/', { replace: true }));
  },
});
