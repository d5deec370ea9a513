// Who opens which page: an account for each role, and an address for each pattern of the route table.
import { randomInt } from 'node:crypto';
import { apiAs, demo, mailTo, mamisctl, newDoctor, organiserCode, PASSWORD } from './stack.mjs';

const NOBODYS = '00000000-0000-4000-8000-000000000000';

/** Administrators where a role has them, so that pages of staff are among theirs. */
const STAFF = {
  organiser: async () => ['--administrator', '--organiser', await organiserCode()],
  office_l1: () => ['--administrator', '--l1', '13001'],
  office_l2: () => ['--administrator', '--l2', '13'],
  office_l3: () => ['--administrator'],
  call_centre: () => [],
  admin: () => [],
  auditor: () => [],
};

async function newStaff(role) {
  const login_id = `${role.replaceAll('_', '-')}-${randomInt(1e9)}`;
  const words = await STAFF[role]();
  await mamisctl('account', 'create', '--role', role, '--login', login_id, '--password', PASSWORD, '--name', '試験用', ...words);
  return { login_id, password: PASSWORD };
}

/** Somebody whom a new doctor named, and who took it on. */
async function newDelegate() {
  const doctor = await newDoctor();
  const login_id = `delegate${doctor.mamis_no}@example.jp`;
  await (await apiAs(doctor))('POST', '/me/delegates', { name: '受付　花子', email: login_id });
  const [, link] = /\/link#([\w.-]+)/.exec(await mailTo(login_id, /\/link#/));
  await (await apiAs(doctor))('POST', '/links', { link, password: PASSWORD });
  return { login_id, password: PASSWORD };
}

export const ROLES = ['doctor', ...Object.keys(STAFF), 'delegate'];

/** Somebody of that role to sign in as. */
export async function somebody(role) {
  if (role === 'doctor') return demo.accounts.doctor;
  return role === 'delegate' ? newDelegate() : newStaff(role);
}

const KNOWN = { '/seminars/{no}': demo.sample.seminar_no, '/uploads/{id}': demo.sample.upload_id, '/me/apply/{programme}': 'OP' };

/** A page of the pattern, or one that nobody has. */
export const anAddress = (pattern) => pattern.replace(/\{\w+\}/, KNOWN[pattern] ?? NOBODYS);

/** Where a page's links lead to. */
export const linksOf = (page) => page.locator('a[href]').evaluateAll((found) => found.map((link) => new URL(link.href).pathname));

/** A real page of the pattern, where a list that was seen before links to one; else one that nobody has. */
export function addressOf(links, pattern) {
  const wanted = new RegExp(`^${pattern.replace(/\{\w+\}/, '[^/]+')}$`);
  if (!pattern.includes('{') || KNOWN[pattern]) return anAddress(pattern);
  return links.find((path) => wanted.test(path) && !/\/(new|training)$/.test(path)) ?? anAddress(pattern);
}
