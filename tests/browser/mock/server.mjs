// A stand-in for the gateway while the pages are made: `node mock/server.mjs [port]` serves
// services/portal/dist with the real content policy. Sign in as doctor, temp, organiser,
// office_l2, office_l3 or admin with any password without "wrong". Not used by the stories.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import * as data from './data.mjs';

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const dist = new URL('../../../services/portal/dist/', import.meta.url);
const sessions = new Map();
const uploads = new Map();
const usedLinks = new Set();
const applications = [data.application(1, 'l2_review'), data.application(2, 'l3_queued'), data.application(3, 'returned', { return_reason: '手帳の「生涯・実地」は1単位でした。単位を確かめてください。', return_until: '2026-12-15' })];
const STEPS = ['terms', 'email', 'email_confirm', 'profile', 'password', ''];

class Refused extends Error {
  constructor(status, code, title, detail, errors) {
    super(code);
    Object.assign(this, { status, body: { type: `urn:mamis:problem:${code}`, title, status, detail, code, ...(errors ? { errors } : {}) } });
  }
}
const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};
const meOf = (session) => ({
  account: session.account, csrf_token: session.csrf, next: session.next, email_undeliverable: false,
  ...(session.account.role === 'doctor' ? { doctor: data.doctorOf(session.account) } : {}),
});
const step = (session) => (session.next = STEPS[STEPS.indexOf(session.next) + 1]);

const routes = {
  'GET /site': () => data.site,
  'POST /session': ({ body, response }) => {
    const account = data.accounts[body.login_id];
    if (!account || /wrong/.test(body.password)) throw new Refused(401, 'sign_in_failed', 'ログインできませんでした', 'ログインIDまたはパスワードが違います。');
    const token = String(Math.random());
    const session = { account, csrf: `csrf${token}`, next: body.login_id === 'temp' ? 'terms' : '' };
    sessions.set(token, session);
    response.setHeader('Set-Cookie', `mamis_session=${token}; HttpOnly; SameSite=Lax; Path=/`);
    return [201, meOf(session)];
  },
  'DELETE /session': ({ token }) => [204, sessions.delete(token)],
  'POST /password-resets': () => [202, {}],
  'POST /links': ({ body, session }) => {
    if (usedLinks.has(body.link)) throw new Refused(410, 'link_used', 'リンクは使用済みです', 'このリンクはすでに使われています。');
    if (body.password === 'passwordpassword')
      throw new Refused(422, 'password_common', '推測されやすいパスワードです', 'このパスワードはよく使われるもの、または流出したものの一覧にあります。', [{ pointer: '/password', code: 'password_common', detail: 'このパスワードはよく使われるもの、または流出したものの一覧にあります。' }]);
    if (body.link === 'reset') return { purpose: 'password_reset', next: body.password ? '' : 'password' };
    usedLinks.add(body.link);
    for (const other of sessions.values()) if (other.next === 'email_confirm') step(other);
    return { purpose: 'email_confirm', next: 'profile' };
  },
  'GET /me': ({ session }) => meOf(session),
  'POST /me/terms': ({ session }) => ({ next: step(session) }),
  'POST /me/email': ({ body, session }) => {
    session.email = body.email;
    return { next: session.next === 'email' ? step(session) : session.next };
  },
  'GET /me/profile': ({ session }) => ({ ...data.profile, ...(session.email ? { pending_email: session.email } : {}) }),
  'PUT /me/profile': ({ body, session }) => {
    if (/[a-z]/.test(body.name_kana))
      throw new Refused(422, 'schema', '入力内容に誤りがあります', '入力内容を確かめてください。', [{ pointer: '/name_kana', code: 'name_kana_format', detail: '「氏名カナ」にカタカナでない文字があります。' }]);
    if (/[^0-9+-]/.test(body.phone))
      throw new Refused(400, 'schema', '入力内容に誤りがあります', '入力内容を確かめてください。', [{ pointer: '/phone', code: 'field_format', detail: '「phone」の形が正しくありません（092-000-0000）。' }]);
    return { next: session.next ? step(session) : '' };
  },
  'PUT /me/password': ({ session }) => ({ next: session.next ? step(session) : '' }),
  'GET /me/standing': () => data.standings,
  'GET /me/credits': ({ query }) => {
    const items = data.credits.filter((credit) => !query.get('programme') || credit.programme === query.get('programme'));
    const totals = new Map();
    for (const credit of items)
      if (credit.status === 'posted') totals.set(credit.kind, { programme: credit.programme, kind: credit.kind, kind_name: credit.kind_name, half_units: (totals.get(credit.kind)?.half_units ?? 0) + credit.half_units });
    return { items, totals: [...totals.values()], totals_by_year: yearsOf(items), next_cursor: null };
  },
  'GET /me/certificates': () => data.certificates,
  'GET /me/handbook': () => data.handbook,
  'PUT /me/handbook': () => data.handbook,
  'GET /me/applications': () => ({ items: applications }),
  'POST /me/applications': () => {
    const made = data.application(applications.length + 1, 'l2_review');
    applications.push(made);
    return [201, made];
  },
  'GET /me/applications/*': ({ last }) => applicationOf(last),
  'GET /applications': ({ query }) => ({ items: applications.filter((item) => !query.get('status') || item.status === query.get('status')), next_cursor: null }),
  'GET /applications/*': ({ last }) => applicationOf(last),
  'GET /seminars': ({ query }) => ({ items: data.seminars.filter((item) => (item.title + item.seminar_no).includes(query.get('q') ?? '')), next_cursor: null }),
  'GET /seminars/*': ({ last }) => {
    const found = data.seminars.find((item) => item.seminar_no === last);
    return { ...(found ?? missing()), sessions: data.sessionsOf(found) };
  },
  'GET /uploads': () => ({ items: [...uploads.values()].reverse(), next_cursor: null }),
  'GET /uploads/*': ({ last }) => uploads.get(last),
};
const yearsOf = (items) => {
  const years = new Map();
  for (const { held_on, programme, half_units, status } of items) {
    if (status !== 'posted') continue;
    const fiscal_year = Number(held_on.slice(0, 4)) - (held_on.slice(5, 7) < '04' ? 1 : 0);
    const key = `${fiscal_year} ${programme}`;
    years.set(key, { fiscal_year, programme, half_units: (years.get(key)?.half_units ?? 0) + half_units });
  }
  return [...years.values()].sort((a, b) => b.fiscal_year - a.fiscal_year);
};
const missing = () => {
  throw new Refused(404, 'not_found', '見つかりません', 'お探しのものは見つからないか、見る権限がありません。');
};
const applicationOf = (id) => applications.find((item) => item.application_id === id) ?? missing();

function act(application, action, body) {
  const now = { at: '2026-11-22T12:00:00+09:00', action, actor_role: 'office_l2', reason: body.reason ?? body.override_reason ?? null };
  application.history.push(now);
  if (action === 'handbook') application.handbook = 'received';
  if (action === 'fee') application.fee = body.fee;
  if (action === 'forward') {
    if (!body.override_reason && (application.fee === 'awaited' || application.handbook === 'awaited'))
      throw new Refused(409, 'fee_missing', '審査・登録料の確認が済んでいません', '審査・登録料が未納のため、進められません。');
    application.status = 'l3_queued';
  }
  if (action === 'return') Object.assign(application, { status: 'returned', return_reason: body.reason, return_until: body.until });
  if (action === 'resubmit') application.status = 'l2_review';
  if (action === 'reject') application.status = 'rejected_l2';
  if (action === 'approve') Object.assign(application, { status: 'approved', new_period: { valid_from: '2027-04-15', valid_to: '2032-04-14' } });
  return application;
}

function newUpload(seminarNo, name, bytes) {
  const refused = /refused|book/.test(name);
  const upload = {
    upload_id: data.id(500 + uploads.size), seminar_no: seminarNo, file_name: name, sha256: 'ab'.repeat(32), bytes, encoding: null, delimiter: null, dry_run: false,
    status: 'received', rows_total: null, counts: { posted: 0, already_posted: 0, waiting: 0, unmatched: 0, absent: 0, rejected: 0 }, ignored_columns: [], problem: null,
    received_at: '2026-11-22T12:00:00+09:00', done_at: null,
  };
  uploads.set(upload.upload_id, upload);
  let turn = 0;
  const timer = setInterval(() => {
    turn++;
    if (refused) Object.assign(upload, { status: 'refused', problem: { type: '', title: 'CSVファイルではありません', status: 422, detail: 'これはExcelのブック（xlsx）のようです。何も計上していません。', code: 'not_text', cure: '表計算ソフトで「CSVとして保存」し直してください。' } });
    else if (turn < 3) upload.status = 'reading';
    else {
      Object.assign(upload, { status: 'posting', rows_total: 120, encoding: 'cp932', delimiter: ',', ignored_columns: ['備考', '部署'] });
      const part = Math.min(1, (turn - 2) / 8);
      for (const [outcome, most] of Object.entries({ posted: 91, already_posted: 4, waiting: 3, unmatched: 6, absent: 5, rejected: 11 })) upload.counts[outcome] = Math.floor(most * part);
      if (part === 1) Object.assign(upload, { status: 'done', done_at: '2026-11-22T12:00:04+09:00' });
    }
    if (['done', 'refused'].includes(upload.status)) clearInterval(timer);
  }, Number(process.env.MOCK_STEP_MS ?? 300));
  return upload;
}

async function readBody(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

async function api(request, response, path, query) {
  const token = /mamis_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  const session = sessions.get(token);
  const raw = await readBody(request);
  const [, group, key, rest] = /^\/(uploads|seminars|applications|me\/applications)\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
  const open = ['/site', '/session', '/links', '/password-resets'].includes(path);
  if (!open && !session) throw new Refused(401, 'unauthenticated', 'ログインが必要です', 'ログインしていないか、ログインの期限が切れています。');
  if (request.method !== 'GET' && session && request.headers['x-csrf-token'] !== session.csrf && path !== '/session') throw new Refused(403, 'csrf', '画面の有効期限が切れました', '読み込み直してください。');
  if (rest === 'attendance') {
    const name = decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(request.headers['content-disposition'] ?? '')?.[1] ?? 'file');
    const upload = newUpload(key, name, raw.length);
    return json(response, 202, { upload_id: upload.upload_id, status: upload.status, seminar_no: key });
  }
  if (rest === 'rows') return json(response, 200, { items: data.foundRows(uploads.get(key), query), next_cursor: null });
  if (rest === 'reasons') return json(response, 200, { items: data.reasonsOf(uploads.get(key)) });
  if (rest === 'events') return events(response, uploads.get(key));
  if (rest === 'result.csv') return response.writeHead(200, { 'Content-Type': 'text/csv' }).end('\ufeff結果\r\n');
  const body = raw.length ? JSON.parse(raw) : {};
  if (group?.endsWith('applications') && rest) return json(response, 200, act(applicationOf(key), rest, body));
  const route = routes[`${request.method} ${path}`] ?? routes[`${request.method} /${group}/*`];
  if (!route) missing();
  const answer = route({ body, session, token, query, response, last: key });
  const [status, given] = Array.isArray(answer) ? answer : [200, answer];
  return status === 204 ? response.writeHead(204).end() : json(response, status, given);
}

function events(response, upload) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let sent = 0;
  const timer = setInterval(() => {
    const over = ['done', 'refused'].includes(upload.status);
    response.write(`id: ${++sent}\nevent: ${over ? 'done' : 'progress'}\ndata: ${JSON.stringify(upload)}\n\n`);
    if (over) response.end();
  }, 250);
  response.on('close', () => clearInterval(timer));
}

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  try {
    if (url.pathname.startsWith('/api/v1')) return await api(request, response, url.pathname.slice(7), url.searchParams);
    const name = url.pathname.startsWith('/assets/') ? url.pathname.slice(1) : 'index.html';
    const body = await readFile(new URL(name, dist));
    response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP, 'Cache-Control': 'no-cache' });
    return response.end(body);
  } catch (cause) {
    if (!(cause instanceof Refused)) console.error(cause);
    const refused = cause instanceof Refused ? cause : new Refused(500, 'internal', 'システムの内部で問題が起きました', String(cause));
    return json(response, refused.status, refused.body, { 'Content-Type': 'application/problem+json' });
  }
}).listen(Number(process.argv[2] ?? 8800), '127.0.0.1', () => console.log('http://127.0.0.1:' + (process.argv[2] ?? 8800)));
