// A line that is slow, and one on which nothing comes back.
import assert from 'node:assert/strict';

/** As on a mobile line: each answer takes that long to begin, and comes in slowly. */
export async function slow(page, latency = 600) {
  const debug = await page.context().newCDPSession(page);
  await debug.send('Network.enable');
  await debug.send('Network.emulateNetworkConditions', {
    offline: false,
    latency,
    downloadThroughput: 50_000,
    uploadThroughput: 20_000,
  });
}

/** Counts what is sent from now on. */
export function sent(page, method, path) {
  const seen = [];
  page.on('request', (request) => {
    if (request.method() === method && new URL(request.url()).pathname === path) seen.push(request);
  });
  return seen;
}

/* In the page: goes to another one as a link of ours does, and notes whether it said that it loads. */
function enter(path) {
  document.querySelector('main .page').dataset.left = '';
  window.saidLoading = false;
  new MutationObserver(() => {
    const said = [...document.querySelectorAll('main [role=status]')].map((status) => status.textContent.trim());
    window.saidLoading ||= said.some((text) => /^(読み込んでいます|Loading)…$/.test(text));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
  history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Whether the page at `path` had to ask the server for something before it was there, and said that it loads. */
export async function goSlowly(page, path, settled) {
  let asked = 0;
  // Not the stream of news, which belongs to no page.
  const count = (request) => (asked += ['fetch', 'script'].includes(request.resourceType()));
  page.on('request', count);
  await page.evaluate(enter, path);
  await page.locator('main .page:not([data-left])').waitFor({ state: 'attached' });
  await settled(page);
  page.off('request', count);
  return { asked: asked > 0, said: await page.evaluate(() => window.saidLoading) };
}

/** `page` on a line where nothing is answered while `line.dead`, and from which no change ever goes out. */
export async function putOnLine(page, line) {
  await page.clock.install();
  await page.route('**/api/v1/**', (route) => {
    if (!line.dead && route.request().method() === 'GET') return route.continue();
    line.asked.push(`${route.request().method()} ${new URL(route.request().url()).pathname}`);
    return undefined;
  });
  return page;
}

/** What is typed into a field, by its id, which is its name in the request. */
const TYPED = {
  login_id: '6423876638',
  mamis_no: '6423876638',
  register_no: '7654321',
  keep_register_no: '7654321',
  close_register_no: '7654322',
  number: '7654321',
  name: '遅い　花子',
  name_kana: 'オソイ　ハナコ',
  email: 'slow@example.jp',
  birth_on: '昭和53年5月4日',
  licensed_on: '平成15年4月3日',
  phone: '03-0000-0000',
  workplace_postcode: '812-0001',
  code: '0000-0000-0000-0000',
  l1_words: '13001',
};

/* In the page: every empty field of a form gets something that it takes; the known ones what they want. */
function fill(form, typed) {
  const set = (field, value) => {
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, value);
    field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
  };
  const byType = { date: '2026-12-01', 'datetime-local': '2026-12-01T10:00', password: 'a password of many words' };
  const texts = ['textarea', 'text', 'search', 'tel', 'email', ...Object.keys(byType)];
  const guess = ({ id, inputMode }) =>
    /_on$/.test(id) ? '令和8年12月1日' : ['decimal', 'numeric'].includes(inputMode) ? '1' : '遅い回線';
  for (const field of form.elements) {
    if (field.disabled || field.readOnly || !field.checkVisibility()) continue;
    const { id, type, value, tagName } = field;
    if (type === 'radio' && !form.querySelector(`[name="${field.name}"]:checked`)) field.click();
    else if (type === 'checkbox' && id === 'agree' && !field.checked) field.click();
    else if (tagName === 'SELECT' && !value) set(field, [...field.options].map((option) => option.value).find(Boolean) ?? '');
    else if (texts.includes(type) && (!value || typed[id])) set(field, byType[type] ?? typed[id] ?? guess(field));
  }
}

/* In the page: what stands in the fields; a password need not stay. */
const standsIn = (form) =>
  [...form.elements].filter(({ type }) => !['password', 'submit', 'button', 'fieldset'].includes(type))
    .map((field) => [field.id || field.name, field.type === 'checkbox' || field.type === 'radio' ? field.checked : field.value]);

const LONGER_MS = 31_000;

/**
 * Fills in a form, presses its button twice and Enter once more while nothing is answered: it says that
 * it sends, sends once, tells in the end that no answer came, and keeps what was typed. `page` has a
 * clock of ours and `line` the requests that went out, none of which is answered while `line.dead`.
 */
export async function sendOnDeadLine(page, line, form, name) {
  await form.evaluate(fill, TYPED);
  await form.evaluate(fill, TYPED); // what a choice brought in
  const typed = await form.evaluate(standsIn);
  Object.assign(line, { dead: true, asked: [] });
  await form.locator('button[type=submit]').last().dblclick();
  const told = page.locator('main button[aria-disabled=true]').or(page.locator('main .notice.bad, main [aria-invalid=true]'));
  await told.first().waitFor();
  const wrong = await form.locator('.error').allInnerTexts();
  assert.deepEqual(wrong, [], `${name}: what was filled in is wrong`);
  await page.locator('main button[aria-disabled=true]').first().waitFor();
  const field = form.locator('input:not([type=radio], [type=checkbox], [type=file])').filter({ visible: true }).first();
  if ((await field.count()) > 0) await field.press('Enter');
  assert.deepEqual(line.asked.length, 1, `${name}: sent once: ${line.asked.join(', ')}`);
  await page.clock.fastForward(LONGER_MS);
  await page.getByText('サーバーから返事がありません').first().waitFor();
  assert.deepEqual(await form.evaluate(standsIn), typed, `${name}: keeps what was typed`);
  assert.deepEqual(line.asked.length, 1, `${name}: not sent again by itself`);
}
