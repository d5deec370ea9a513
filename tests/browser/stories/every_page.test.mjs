// Every page of the route table, as each role and signed out: axe, 200 percent without scrolling
// sideways; and by keyboard alone, each page once and each role's menu. Which pages there are comes from the portal's own table.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { audit, axeClean, close, DESKTOP, launch, newPage, settled, signIn } from '../lib/browser.mjs';
import { goRound } from '../lib/keyboard.mjs';
import { OPEN_PAGES, pagesOf } from '../lib/routes.mjs';
import { apiAs, demo, mamisctl, PASSWORD } from '../lib/stack.mjs';

const NOBODYS = '00000000-0000-4000-8000-000000000000';
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Administrators, so that pages of staff are among theirs. */
const STAFF = {
  organiser: async () => ['--organiser', (await (await apiAs(demo.accounts.organiser))('GET', '/me')).account.organiser_code],
  office_l1: () => ['--l1', '13001'],
  office_l2: () => ['--l2', '13'],
  office_l3: () => [],
  call_centre: () => [],
  admin: () => [],
  auditor: () => [],
};

async function newStaff(role) {
  const login_id = `${role.replaceAll('_', '-')}-${randomInt(1e9)}`;
  const may = ['call_centre', 'admin', 'auditor'].includes(role) ? [] : ['--administrator'];
  await mamisctl('account', 'create', '--role', role, '--login', login_id, '--password', PASSWORD, '--name', '試験用', ...may, ...(await STAFF[role]()));
  return { login_id, password: PASSWORD };
}

/** A real one, as a list of this role links to it; else one that nobody has. */
async function addressOf(page, pattern) {
  const given = { '/seminars/{no}': demo.sample.seminar_no, '/uploads/{id}': demo.sample.upload_id, '/me/apply/{programme}': 'OP' };
  if (!pattern.includes('{')) return pattern;
  if (given[pattern]) return pattern.replace(/\{\w+\}/, given[pattern]);
  await page.goto(pattern.replace(/\/\{\w+\}$/, ''));
  await settled(page);
  const wanted = new RegExp(`^${pattern.replace(/\{\w+\}/, '[^/]+')}$`);
  const links = await page.locator('a[href]').evaluateAll((found) => found.map((link) => new URL(link.href).pathname));
  return links.find((path) => wanted.test(path) && !path.endsWith('/new')) ?? pattern.replace(/\{\w+\}/, NOBODYS);
}

/** As others saw it before, with what this role sees. */
async function atTwice(page, name) {
  await axeClean(page, name);
  await page.setViewportSize({ width: DESKTOP.width / 2, height: DESKTOP.height / 2 });
  const surplus = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(surplus <= 0, `${name}: ${surplus} px too wide at 200 percent`);
  await page.setViewportSize(DESKTOP);
}

const seen = new Set();

/** The first time as a whole: on a phone, at 400 percent and by keyboard, too; `menu`: by keyboard in any case. */
async function look(page, role, pattern, path, menu) {
  const name = `${role} ${path}`;
  await page.goto(path);
  await settled(page);
  assert.equal(new URL(page.url()).pathname, path.replace(/[?#].*/, ''), `${name}: is another page`);
  if (seen.has(pattern)) await atTwice(page, name);
  else await audit(page, name);
  if (menu || !seen.has(pattern)) await goRound(page, name);
  seen.add(pattern);
}

test('pages before signing in', async () => {
  assert.ok(OPEN_PAGES.length >= 6, 'the route table was read');
  const page = await newPage(browser);
  for (const path of [...OPEN_PAGES, '/link#x.y']) await look(page, 'nobody', path, path);
  await close(page);
});

for (const role of ['doctor', ...Object.keys(STAFF)]) {
  test(`pages of ${role}`, async () => {
    const patterns = pagesOf(role);
    assert.ok(patterns.length >= 2, 'the route table was read');
    const page = await newPage(browser);
    await signIn(page, role === 'doctor' ? demo.accounts.doctor : await newStaff(role));
    for (const pattern of patterns) await look(page, role, pattern, await addressOf(page, pattern), pattern === patterns[0]);
    // Space and Enter do what a click does.
    const other = page.getByRole('button', { name: 'English' });
    await other.focus();
    await page.keyboard.press('Space');
    await page.locator('html[lang=en]').waitFor();
    await page.getByRole('navigation').getByRole('link').first().focus();
    await page.keyboard.press('Enter');
    await settled(page);
    await close(page);
  });
}
