// Every page of the route table, as each role and signed out: axe, 200 percent without scrolling
// sideways; and by keyboard alone: everything is reached in its order, the focus is seen and comes out
// again, and Enter does what the page is there for. Which pages there are comes from the portal's own table.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, axeClean, close, DESKTOP, launch, newPage, settled, signIn } from '../lib/browser.mjs';
import { goRound, pressMain } from '../lib/keyboard.mjs';
import { OPEN_PAGES, pagesOf } from '../lib/routes.mjs';
import { addressOf, linksOf, ROLES, somebody } from '../lib/visit.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** As others saw it before, with what this role sees. */
async function atTwice(page, name) {
  await axeClean(page, name);
  await page.setViewportSize({ width: DESKTOP.width / 2, height: DESKTOP.height / 2 });
  const surplus = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(surplus <= 0, `${name}: ${surplus} px too wide at 200 percent`);
  await page.setViewportSize(DESKTOP);
}

/** The main actions that were pressed, by pattern; roles may have others on the same page. */
const seen = new Map();

/** The first time as a whole: on a phone and at 400 percent, too. `links` gathers where it leads to. */
async function look(page, role, pattern, path, links) {
  const name = `${role} ${path}`;
  await page.goto(path);
  await settled(page);
  assert.equal(new URL(page.url()).pathname, path.replace(/[?#].*/, ''), `${name}: is another page`);
  links.push(...(await linksOf(page)));
  if (seen.has(pattern)) await atTwice(page, name);
  else await audit(page, name);
  if (!seen.has(pattern)) seen.set(pattern, new Set());
  await goRound(page, name);
  seen.get(pattern).add(await pressMain(page, name, seen.get(pattern)));
}

test('pages before signing in', async () => {
  assert.ok(OPEN_PAGES.length >= 6, 'the route table was read');
  const page = await newPage(browser);
  for (const path of [...OPEN_PAGES, '/link#x.y']) await look(page, 'nobody', path, path, []);
  await close(page);
});

for (const role of ROLES) {
  test(`pages of ${role}`, async () => {
    const patterns = pagesOf(role);
    assert.ok(patterns.length >= 2, 'the route table was read');
    const page = await newPage(browser);
    await signIn(page, await somebody(role));
    const [faults, links] = [[], []];
    for (const pattern of patterns)
      await look(page, role, pattern, addressOf(links, pattern), links).catch(({ message }) => faults.push(message));
    assert.deepEqual(faults, []);
    // Space and Enter do what a click does.
    await page.goto('/');
    await settled(page);
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
