// Who is signed in. The cookie is out of reach of scripts; what GET /me answers is kept here.
import { useEffect, useState } from 'preact/hooks';
import { call, setCsrfToken, setHooks } from './api/client';
import { ApiError } from './api/problem';
import type { Answer } from './api/types';
import { go } from './router';

export type Me = Answer<'/api/v1/me', 'get'>;
/** undefined: not asked yet; null: nobody is signed in. */
type Session = Me | null | undefined;

let current: Session;
/** Set while the page waits for a new sign-in after its session ended. */
let waiting: { promise: Promise<boolean>; end: (again: boolean) => void } | null = null;
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of [...listeners]) listener();
}

function take(me: Session): void {
  current = me;
  if (me) setCsrfToken(me.csrf_token);
  tell();
}

export function session(): Session {
  return current;
}

export function useSession(): { me: Session; expired: boolean } {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((count) => count + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return { me: current, expired: waiting !== null };
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

export async function signIn(loginId: string, password: string): Promise<Me | null> {
  const before = current?.account.id;
  const given = await call('post', '/api/v1/session', { body: { login_id: loginId, password } });
  setCsrfToken(given.csrf_token);
  const me = await refresh();
  if (waiting) {
    const { end } = waiting;
    waiting = null;
    const same = !before || before === given.account.id;
    end(same);
    tell();
    if (!same) go('/', { replace: true }); // somebody else: nothing of the page may stay
  }
  return me;
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
      let end: (again: boolean) => void = () => undefined;
      const promise = new Promise<boolean>((resolve) => (end = resolve));
      waiting = { promise, end };
      tell();
    }
    return waiting.promise;
  },
  stepFirst() {
    void refresh().then(() => go('/first-login', { replace: true }));
  },
});
