// One door to the server: typed by the contract, with the session's CSRF token, the person's
// language, problems as ApiError, and 202 operations followed to their end.
import { lang } from '../text/lang';
import { ApiError, lateAnswer, noAnswer, problemOf, stillWorking } from './problem';
import type { Answer, Ask, Method, paths } from './types';

/** An answer begins to come by then, or the person is told that none came. */
export const ANSWER_WAIT_MAX_MS = 30_000;
const OPERATION_WAIT_MAX_MS = 60_000;
const READ_TRIES = 3;

interface Hooks {
  /** The session ended: resolves true when the person has signed in again. */
  signedOut(): Promise<boolean>;
  /** A sensitive change: resolves true when the person has proved again who they are. */
  proveAgain(): Promise<boolean>;
  /** The server says which step of the first login, or of signing in, must come first. */
  stepFirst(): void;
}

let csrfToken = '';
let hooks: Hooks | undefined;
let lastAnswerAt = Date.now();

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

export function setHooks(next: Hooks): void {
  hooks = next;
}

/** When the server last heard from this page, for the warning before a session ends. */
export function lastAnswer(): number {
  return lastAnswerAt;
}

export function lastAnswerNow(): void {
  lastAnswerAt = Date.now();
}

export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

export function address(path: string, values?: object, query?: object): string {
  let text = path;
  for (const [name, value] of Object.entries(values ?? {}))
    text = text.replace(`{${name}}`, encodeURIComponent(String(value)));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  const tail = search.toString();
  return tail ? `${text}?${tail}` : text;
}

/** Headers of every request; uploads, which use another machinery, take them from here too. */
export function commonHeaders(method: Method): Record<string, string> {
  const headers: Record<string, string> = {
    Accept: 'application/json, application/problem+json',
    'Accept-Language': lang(),
  };
  if (method !== 'get' && csrfToken) headers['X-CSRF-Token'] = csrfToken;
  return headers;
}

/** fetch() that gives up by itself after `waitMs`; `signal`: the page wants the answer no more. */
export async function fetchSoon(url: string, init: RequestInit, waitMs: number, signal?: AbortSignal): Promise<Response> {
  const stop = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop.abort();
  }, waitMs);
  if (signal?.aborted) stop.abort();
  signal?.addEventListener('abort', () => stop.abort());
  try {
    return await fetch(url, { ...init, credentials: 'same-origin', cache: 'no-store', signal: stop.signal });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw late ? lateAnswer() : noAnswer();
  } finally {
    clearTimeout(timer);
  }
}

async function once(method: Method, url: string, ask: LooseAsk): Promise<Response> {
  const headers = { ...commonHeaders(method), ...ask.headers };
  if (ask.body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = {
    method: method.toUpperCase(),
    headers,
    body: ask.body === undefined ? null : JSON.stringify(ask.body),
    keepalive: ask.keepalive ?? false,
  };
  const response = await fetchSoon(url, init, ANSWER_WAIT_MAX_MS, ask.signal);
  if (response.status !== 401) lastAnswerAt = Date.now();
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  const after = Number(response.headers.get('Retry-After'));
  throw new ApiError(problemOf(body, response.status), after > 0 ? after : 0);
}

/** Takes the token of the running session again, after a 403 that says it is old. */
async function renewToken(): Promise<boolean> {
  const response = await once('get', '/api/v1/me', {});
  const me = (await response.json()) as { csrf_token?: string };
  if (!me.csrf_token || me.csrf_token === csrfToken) return false;
  csrfToken = me.csrf_token;
  return true;
}

interface LooseAsk {
  path?: object | undefined;
  query?: object | undefined;
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** It goes on when the page is left. */
  keepalive?: boolean;
}

/** The session's own routes: there a 401 is an answer, not the end of a session. */
const isSession = (path: string): boolean => path.startsWith('/api/v1/session') || path === '/api/v1/links';

async function send(method: Method, path: string, ask: LooseAsk): Promise<Response> {
  const url = address(path, ask.path, ask.query);
  for (let tried = 1; ; tried++) {
    try {
      return await once(method, url, ask);
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      const { status, code } = cause.problem;
      if (status === 401 && code === 'unauthenticated' && !isSession(path) && hooks && tried === 1) {
        if (await hooks.signedOut()) continue;
      } else if (status === 403 && code === 'csrf' && tried === 1) {
        if (await renewToken()) continue;
      } else if (status === 403 && code === 'reauthentication_needed' && hooks && tried === 1) {
        if (await hooks.proveAgain()) continue;
      } else if (status === 403 && (code === 'first_login_step' || code === 'second_factor_step')) {
        hooks?.stepFirst();
      } else if (method === 'get' && (status === 503 || code === 'no_answer') && code !== 'maintenance' && tried < READ_TRIES) {
        await wait(Math.min(Math.max(cause.retryAfter * 1000, 300 * tried), 3000), ask.signal);
        continue;
      }
      throw cause;
    }
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  return response.json().catch(() => {
    throw noAnswer();
  });
}

interface Operation {
  status: 'pending' | 'done' | 'failed';
  result?: unknown;
  problem?: unknown;
}

/** An accepted command is finished by the system in any case; this only waits to show it. */
async function follow(operationId: string, signal?: AbortSignal): Promise<unknown> {
  const until = Date.now() + OPERATION_WAIT_MAX_MS;
  for (let pause = 300; ; pause = Math.min(pause * 1.5, 3000)) {
    const response = await send('get', '/api/v1/operations/{operation_id}', {
      path: { operation_id: operationId },
      ...(signal ? { signal } : {}),
    });
    const operation = (await jsonOf(response)) as Operation;
    if (operation.status === 'done') return operation.result;
    if (operation.status === 'failed') throw new ApiError(problemOf(operation.problem, 409));
    if (Date.now() > until) throw stillWorking();
    await wait(pause, signal);
  }
}

const unsure = new Map<string, string>();

/** Random, from what also works on plain http of another machine (crypto.randomUUID does not). */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A call that must happen once: when no answer came, the same command sent again carries the same
 * Idempotency-Key, so the server knows it.
 */
export async function command<P extends keyof paths, M extends 'post' | 'put' | 'patch'>(
  method: M,
  path: P,
  ask: Ask<P, M>,
): Promise<Answer<P, M>> {
  const { path: values, query, body } = ask as LooseAsk;
  const what = `${method} ${address(path, values, query)} ${JSON.stringify(body)}`;
  const key = unsure.get(what) ?? newKey();
  unsure.set(what, key);
  try {
    const headers = { ...(ask as LooseAsk).headers, 'Idempotency-Key': key };
    const answer = await call(method, path, { ...ask, headers } as Ask<P, M>);
    unsure.delete(what);
    return answer;
  } catch (cause) {
    const status = cause instanceof ApiError ? cause.problem.status : 0;
    if (status >= 400 && status < 500) unsure.delete(what);
    throw cause;
  }
}

/** Sends one request of the contract: call('get', '/api/v1/me', {}). */
export async function call<P extends keyof paths, M extends Method>(
  method: M,
  path: P,
  ask: Ask<P, M>,
): Promise<Answer<P, M>> {
  const loose = ask as LooseAsk;
  const response = await send(method, path, loose);
  const body = await jsonOf(response);
  const pending = response.status === 202 ? (body as { operation_id?: unknown }).operation_id : null;
  if (typeof pending === 'string') return (await follow(pending, loose.signal)) as Answer<P, M>;
  return body as Answer<P, M>;
}
