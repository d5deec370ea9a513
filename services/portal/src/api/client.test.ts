import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ANSWER_WAIT_MAX_MS, address, call, command, setCsrfToken, setHooks } from './client';
import { ApiError, fieldOfPointer, problemOf } from './problem';

interface Sent {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | null;
}

/** What the server will say, in turn; an Error is a broken connection, null never comes. */
let answers: (Response | Error | null)[] = [];
let sent: Sent[] = [];

globalThis.fetch = async (url, init) => {
  sent.push({
    url: String(url),
    method: init?.method ?? 'GET',
    headers: init?.headers as Record<string, string>,
    body: init?.body as string | null,
  });
  const answer = answers.shift();
  if (answer === null) return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)));
  if (!answer) throw new Error('nothing more was expected');
  if (answer instanceof Error) throw answer;
  return answer;
};

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers });
const problem = (status: number, code: string, headers = {}) => json(status, { code, status, title: code, detail: code }, headers);

beforeEach(() => {
  answers = [];
  sent = [];
  setCsrfToken('one');
  setHooks({ signedOut: async () => false, stepFirst: () => undefined });
});

test('addresses', () => {
  assert.equal(address('/a/{id}/b', { id: 'x/y' }, { q: '研', none: '', n: 5 }), '/a/x%2Fy/b?q=%E7%A0%94&n=5');
  assert.equal(fieldOfPointer('/lines/0/half_units'), 'lines-0-half_units');
});

test('unsafe requests carry the token, reading ones do not', async () => {
  answers = [json(200, { items: [] }), json(200, { next: 'email' })];
  await call('get', '/api/v1/me/standing', {});
  await command('post', '/api/v1/me/terms', { body: { version: '1' } });
  assert.equal(sent[0]!.headers['X-CSRF-Token'], undefined);
  assert.equal(sent[1]!.headers['X-CSRF-Token'], 'one');
  assert.equal(sent[1]!.headers['Accept-Language'], 'ja');
});

test('an old token is renewed once', async () => {
  answers = [problem(403, 'csrf'), json(200, { csrf_token: 'two' }), json(200, { next: '' })];
  await command('post', '/api/v1/me/terms', { body: { version: '1' } });
  assert.deepEqual(sent.map((request) => request.headers['X-CSRF-Token']), ['one', undefined, 'two']);
  assert.equal(sent[2]!.headers['Idempotency-Key'], sent[0]!.headers['Idempotency-Key']);
});

test('after a lost answer the same command has the same key, another one has its own', async () => {
  const body = { version: '1' };
  answers = [new TypeError('network'), json(200, { next: '' }), json(200, { next: '' })];
  await assert.rejects(command('post', '/api/v1/me/terms', { body }), (error: ApiError) => error.problem.status === 0);
  await command('post', '/api/v1/me/terms', { body });
  await command('post', '/api/v1/me/terms', { body });
  const [first, second, third] = sent.map((request) => request.headers['Idempotency-Key']);
  assert.equal(first, second);
  assert.notEqual(second, third);
});

test('a command that takes longer is followed to its end', async () => {
  const operation = { operation_id: 'op', result: null, problem: null };
  answers = [
    json(202, { operation_id: 'op' }),
    json(200, { ...operation, status: 'pending' }),
    json(200, { ...operation, status: 'done', result: { next: 'email' } }),
  ];
  assert.deepEqual(await command('post', '/api/v1/me/terms', { body: { version: '1' } }), { next: 'email' });
  answers = [
    json(202, { operation_id: 'op' }),
    json(200, { ...operation, status: 'failed', problem: { code: 'terms_version', title: 'old', detail: 'old' } }),
  ];
  await assert.rejects(
    command('post', '/api/v1/me/terms', { body: { version: '0' } }),
    (error: ApiError) => error.problem.code === 'terms_version',
  );
});

test('a session that ended is taken up again', async () => {
  let asked = 0;
  setHooks({ signedOut: async () => ++asked > 0, stepFirst: () => undefined });
  answers = [problem(401, 'unauthenticated'), json(200, { items: [] })];
  await call('get', '/api/v1/me/standing', {});
  assert.equal(asked, 1);
  answers = [problem(401, 'sign_in_failed')];
  await assert.rejects(call('post', '/api/v1/session', { body: { login_id: 'a', password: 'b' } }));
  assert.equal(asked, 1, 'a wrong password is no ended session');
});

test('reading is tried again while the server is away, changing is not', async () => {
  answers = [problem(503, 'service_unavailable', { 'Retry-After': '0' }), new TypeError('network'), json(200, { items: [] })];
  await call('get', '/api/v1/me/standing', {});
  assert.equal(sent.length, 3);
  answers = [problem(503, 'service_unavailable')];
  await assert.rejects(command('post', '/api/v1/me/terms', { body: { version: '1' } }));
  assert.equal(sent.length, 4);
});

test('an answer that never comes is told in time, reading too, and is the same command again', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const body = { version: '1' };
  const late = async (asked: Promise<unknown>) => {
    const told = assert.rejects(asked, (error: ApiError) => error.problem.code === 'late_answer');
    context.mock.timers.tick(ANSWER_WAIT_MAX_MS);
    await told;
  };
  answers = [null, null, json(200, { next: '' })];
  await late(call('get', '/api/v1/me/standing', {}));
  await late(command('post', '/api/v1/me/terms', { body }));
  await command('post', '/api/v1/me/terms', { body });
  assert.equal(sent.length, 3, 'what takes long is not tried three times');
  assert.equal(sent[1]!.headers['Idempotency-Key'], sent[2]!.headers['Idempotency-Key']);
});

test('a page that is left wants no answer', async () => {
  const left = new AbortController();
  answers = [null];
  const asked = call('get', '/api/v1/me/standing', { signal: left.signal });
  left.abort();
  await assert.rejects(asked, (cause) => !(cause instanceof ApiError));
});

test('the first login is shown when the server asks for it', async () => {
  let shown = 0;
  setHooks({ signedOut: async () => false, stepFirst: () => shown++ });
  answers = [problem(403, 'first_login_step')];
  await assert.rejects(call('get', '/api/v1/me/credits', {}));
  assert.equal(shown, 1);
});

test('whatever comes as an error can be shown', () => {
  for (const body of [null, 'text', 42, [], { errors: 'x' }, { title: 1, errors: [null, 3] }]) {
    const made = problemOf(body, 502);
    assert.ok(made.title && made.detail && made.code);
    assert.deepEqual(made.errors, []);
  }
  const made = problemOf({ errors: [{ pointer: '/phone', code: 'x', detail: '誤り。', cure: '直す。' }] }, 400);
  assert.equal(made.errors[0]!.detail, '誤り。直す。');
});

test('the state of an application is called as on the page', () => {
  const detail = '申請の今の状態は「l3_queued」です。';
  assert.equal(problemOf({ code: 'application_state', detail }, 409).detail, '申請の今の状態は「全国医師会へ送付済み」です。');
});
