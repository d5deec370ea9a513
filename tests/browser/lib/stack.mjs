// The running copy that the stories use: MAMIS_DEMO_JSON names its demo.json. Each story brings its
// own doctors and seminars by mamisctl, so stories do not meet and can be run again.
import { execFile } from 'node:child_process';
import { createHmac, randomInt } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const top = fileURLToPath(new URL('../../../', import.meta.url));
const demoPath = process.env.MAMIS_DEMO_JSON ?? join(top, '.run', 'demo.json');

export const demo = JSON.parse(await readFile(demoPath, 'utf8'));
export const baseUrl = demo.base_url;
export const PASSWORD = 'browser story password';

/** mamisctl with the settings of the copy that demo.json stands in. */
export async function mamisctl(...words) {
  const program = join(process.env.MAMIS_TEST_BUILD ?? join(top, 'build'), 'bin', 'mamisctl');
  const settings = join(dirname(demoPath), 'settings', 'mamisctl.conf');
  const { stdout } = await run(program, ['--settings', settings, ...words], { timeout: 60_000 });
  return stdout;
}

const HEAD = { 'Content-Type': 'application/json', Origin: baseUrl };

/** Signs in: the session's cookie and its token. */
export async function newSession({ login_id, password }) {
  const answer = await fetch(`${baseUrl}/api/v1/session`, {
    method: 'POST',
    headers: HEAD,
    body: JSON.stringify({ login_id, password }),
  });
  if (answer.status !== 201) throw new Error(`signing in as ${login_id}: HTTP ${answer.status}`);
  const [name, value] = answer.headers.get('set-cookie').split(';')[0].split(/=(.*)/s);
  return { name, value, csrf_token: (await answer.json()).csrf_token };
}

/** A script's own way in, for what a story needs to know or has to break. */
export async function apiAs(who) {
  const { name, value, csrf_token } = await newSession(who);
  return async (method, path, body) => {
    const headers = { ...HEAD, Cookie: `${name}=${value}`, 'X-CSRF-Token': csrf_token };
    const got = await fetch(`${baseUrl}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (!got.ok) throw new Error(`${method} ${path}: HTTP ${got.status} ${await got.text()}`);
    return got.status === 204 ? null : got.json();
  };
}

let organiser;
/** The code of the demo's organiser. */
export function organiserCode() {
  organiser ??= apiAs(demo.accounts.organiser).then((api) => api('GET', '/me'));
  return organiser.then(({ account }) => account.organiser_code);
}

/** Milliseconds since 1970 by the copy's clock, which may be set to another time. */
let copyOffsetMs;
export async function copyNowMs() {
  if (copyOffsetMs === undefined) {
    const path = join(dirname(demoPath), 'state', 'now_offset_us.json');
    copyOffsetMs = await readFile(path, 'utf8').then((text) => Number(text) / 1000, () => 0);
  }
  return Date.now() + copyOffsetMs;
}

/** Today in Japan by that clock. */
export async function today(shiftDays = 0) {
  const japan = new Date((await copyNowMs()) + (9 * 60 + shiftDays * 24 * 60) * 60_000);
  return japan.toISOString().slice(0, 10);
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What an authenticator app shows (RFC 6238), `shift` steps of 30 s from now. */
export async function appCode(secret, shift = 0) {
  const bits = [...secret.replace(/ /g, '')].map((c) => BASE32.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor((await copyNowMs()) / 30_000) + shift));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Five years back, the day after: a certificate that ends on `to` began then. */
export function periodBegin(to) {
  const end = new Date(`${to}T00:00:00Z`);
  return new Date(Date.UTC(end.getUTCFullYear() - 5, end.getUTCMonth(), end.getUTCDate() + 1)).toISOString().slice(0, 10);
}

/** ISO/IEC 7064 MOD 11,10 over nine random digits. */
export function newMamisNo() {
  const digits = Array.from({ length: 9 }, (_, at) => randomInt(at === 0 ? 1 : 0, 10));
  let sum = 10;
  for (const digit of digits) sum = (((sum + digit) % 10 || 10) * 2) % 11;
  return digits.join('') + ((11 - sum) % 10);
}

const MEMBER_COLUMNS =
  'mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,sp_from,sp_to'.split(',');
const SEMINAR_COLUMNS =
  'seminar_no,title,organiser_code,session_no,session_title,starts_at,ends_at,delivery,grace_minutes,capacity,offers,leader_register_no'.split(',');

const csv = (columns, rows) =>
  [columns.join(','), ...rows.map((row) => columns.map((name) => row[name] ?? '').join(','))].join('\n') + '\n';

async function withFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), 'mamis-browser-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A doctor of this story alone. `my_page: 'temp_issued'` gives the postcard's ID and password. */
export async function newDoctor(given = {}) {
  const mamisNo = newMamisNo();
  const member = {
    mamis_no: mamisNo,
    register_no: String(randomInt(8_000_000, 9_999_999)),
    licensed_on: '2003-04-02',
    name: '試験　花子',
    name_kana: 'シケン　ハナコ',
    sex: 'F',
    birth_on: '1978-05-04',
    email: `d${mamisNo}@example.jp`,
    l1_code: '40016',
    l2_code: '40',
    l3_category: 'B',
    my_page: 'active',
    ...given,
  };
  return withFolder(async (folder) => {
    const file = join(folder, 'members.csv');
    const cards = join(folder, 'postcards.csv');
    await writeFile(file, csv(MEMBER_COLUMNS, [member]));
    const temporary = member.my_page === 'temp_issued';
    const more = temporary ? ['--postcards', cards] : ['--password-for-tests', PASSWORD];
    await mamisctl('import', 'members', file, ...more);
    if (!temporary) return { ...member, login_id: mamisNo, password: PASSWORD };
    const [, line] = (await readFile(cards, 'utf8')).replace(/^\ufeff/, '').split(/\r?\n/);
    const [, , login_id, password] = line.split(',');
    return { ...member, login_id, password };
  });
}

/** A seminar of one session, held yesterday, by the demo's organiser. */
export async function newSeminar(given = {}) {
  const day = await today(-1);
  const number = `B${randomInt(1e9, 1e10)}`;
  const seminar = {
    seminar_no: number,
    title: `画面の試験のための研修会 ${number}`,
    organiser_code: await organiserCode(),
    session_no: '1',
    session_title: '職場の健康',
    starts_at: `${day} 13:00`,
    ends_at: `${day} 15:00`,
    delivery: 'venue',
    grace_minutes: '10',
    capacity: '100',
    offers: 'OPL-S:2;CME-007:1.5',
    ...given,
  };
  return withFolder(async (folder) => {
    const file = join(folder, 'seminars.csv');
    await writeFile(file, csv(SEMINAR_COLUMNS, [seminar]));
    await mamisctl('import', 'seminars', file);
    return seminar;
  });
}

/** The newest mail to an address, as text with its transfer encoding undone; waits for it. */
export async function mailTo(address, wanted = /./, seconds = 20) {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    for (const folder of ['new', 'cur'])
      for (const name of await readdir(join(demo.mail_dir, folder)).catch(() => [])) {
        const text = decoded(await readFile(join(demo.mail_dir, folder, name), 'latin1'));
        if (text.includes(address) && wanted.test(text)) return text;
      }
    if (Date.now() > until) throw new Error(`no mail to ${address} within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Enough of MIME for our own mails: the parts' bodies, base64 or quoted-printable. */
function decoded(raw) {
  const bodies = raw.split(/\r?\n\r?\n/).map((part, at, parts) => {
    const head = parts[at - 1] ?? '';
    if (/content-transfer-encoding:\s*base64/i.test(head)) return Buffer.from(part.replace(/\r?\n--.*/s, ''), 'base64').toString('utf8');
    if (/content-transfer-encoding:\s*quoted-printable/i.test(head))
      return part.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return part;
  });
  return bodies.join('\n');
}
