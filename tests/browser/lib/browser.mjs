// One Chromium for a file of stories; pages that complain fail their story.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { baseUrl, demo, newSession } from './stack.mjs';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const DESKTOP = { width: 1280, height: 900 };

export const launch = () =>
  chromium.launch({
    executablePath: process.env.MAMIS_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** A fresh person at the machine. `page.complaints` gathers errors of scripts and content policy. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ baseURL: baseUrl, viewport: DESKTOP, locale: 'ja-JP', ...options });
  context.setDefaultTimeout(30_000); // stories run side by side, and beside other tests
  const page = await context.newPage();
  page.origin = options.baseURL ?? baseUrl;
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    // The browser also reports answers such as 401 here, which the pages handle.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) page.complaints.push(message.text());
  });
  return page;
}

/** Ends a story's page; nothing may have gone wrong unseen. */
export async function close(page) {
  await page.context().close();
  assert.deepEqual(page.complaints, []);
}

const SHARED = new Set(Object.values(demo.accounts).map(({ login_id }) => login_id));
const sessions = new Map();

/* The demo's accounts sign in once for a file of stories; others are somebody new each time. */
function sessionOf(who) {
  if (!SHARED.has(who.login_id)) return newSession(who);
  if (!sessions.has(who.login_id)) sessions.set(who.login_id, newSession(who));
  return sessions.get(who.login_id);
}

/**
 * Signed in and at `path`, where nothing says otherwise at home. Not by the form, which login.test.mjs
 * and others fill in: a story that is about something else begins behind it.
 */
export async function signIn(page, who, path = '/') {
  const { name, value } = await sessionOf(who);
  await page.context().addCookies([{ name, value, url: page.origin, httpOnly: true, sameSite: 'Lax' }]);
  await page.goto(path);
  await page.locator('h1').waitFor();
}

/** The page has come to rest: its heading is there and nothing says it is still loading. */
export async function settled(page) {
  await page.locator('h1').waitFor();
  // Several parts of a page may be loading: none is left when there is no first one.
  await page.getByText(/^(読み込んでいます|Loading)…$/).first().waitFor({ state: 'detached' });
}

/** Axe finds nothing, and nothing scrolls sideways: as it is, on phones, at 200 and at 400 percent. */
export async function audit(page, name) {
  await settled(page);
  await axeClean(page, name);
  const size = page.viewportSize();
  for (const [width, what] of [
    [360, 'a phone of 360 px'],
    [DESKTOP.width / 2, '200 percent'],
    [DESKTOP.width / 4, '400 percent, which are 320 px'],
  ]) {
    await page.setViewportSize({ width, height: 740 });
    const surplus = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(surplus <= 0, `${name}: ${surplus} px too wide at ${what}`);
    if (width === 360) await axeClean(page, `${name} at 360 px`);
  }
  await page.setViewportSize(size ?? DESKTOP);
}

const debuggers = new WeakMap();

/* By the debugger, because the pages' own policy lets no text become a script. */
async function bringAxe(page) {
  // One debugger a page: when one lets go, Chromium takes away the page's virtual authenticators.
  if (!debuggers.has(page)) debuggers.set(page, await page.context().newCDPSession(page));
  await debuggers.get(page).send('Runtime.evaluate', { expression: axeSource });
}

/* In the page: what is wrong, in words; null without axe. What is right, which is long, stays there. */
async function runAxe(rules) {
  if (!window.axe) return null;
  const { violations } = await window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

/* The page as it stands; audit() also looks at it narrow. */
export async function axeClean(page, name) {
  let found = await page.evaluate(runAxe, RULES);
  if (found === null) {
    await bringAxe(page);
    found = await page.evaluate(runAxe, RULES);
  }
  assert.deepEqual(found, [], `${name}: axe`);
}

/** A picture for the README, where MAMIS_SHOTS_DIR asks for it. */
export async function shot(page, name, size = { width: 1100, height: 760 }) {
  const folder = process.env.MAMIS_SHOTS_DIR;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  const before = page.viewportSize();
  await page.setViewportSize(size);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.setViewportSize(before);
}

/** Presses Tab until the focus is where `locator` says; by keyboard or not at all. */
export async function tabTo(page, locator, most = 60) {
  for (let pressed = 0; pressed < most; pressed++) {
    if (await locator.evaluate((element) => element === document.activeElement)) {
      const seen = await page.evaluate(() => {
        const active = document.activeElement;
        // The file field is drawn by its label.
        const drawn = active.type === 'file' ? active.nextElementSibling : active;
        return getComputedStyle(drawn).outlineStyle !== 'none';
      });
      assert.ok(seen, 'the focus can be seen');
      return;
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`not reached by ${most} presses of Tab`);
}
