// What Tab reaches on a page, in which order, whether one sees where one is, and what Enter does there.
import assert from 'node:assert/strict';

const AT_ONCE = 12;
const MOST = 600;

/* In the page: what can be worked with now, and what happened to each as the focus went round. */
function watchFocus() {
  const wanted = 'a[href], button, input, select, textarea, summary, [role=button], [role=link], [role=tab], [role=checkbox]';
  const usable = (element) =>
    !element.disabled && element.type !== 'hidden' && !element.closest('[inert]') && element.tabIndex >= 0 &&
    element.checkVisibility({ visibilityProperty: true });
  const native = /^(A|BUTTON|INPUT|SELECT|TEXTAREA|SUMMARY)$/;
  const all = [...document.querySelectorAll(wanted)];
  const told = { seen: new Set(), unseen: [], back: [], round: false };
  let last = null;
  // One press of Tab for a group of radio buttons; arrows go on in it.
  const group = (element) => (element.type === 'radio' && element.name ? `radio ${element.name}` : element);
  const words = (element) => element.outerHTML.slice(0, 140);
  window.focusTold = told;
  document.addEventListener('focusin', ({ target }) => {
    if (told.seen.has(group(target)) && told.seen.size > 1) told.round = true;
    // In the order of the page; once it begins again at the top.
    if (!told.round && last?.isConnected && target.compareDocumentPosition(last) & Node.DOCUMENT_POSITION_FOLLOWING)
      told.back.push(words(target));
    last = target;
    told.seen.add(group(target));
    // The file field is drawn by its label.
    const drawn = target.type === 'file' ? target.nextElementSibling : target;
    if (getComputedStyle(drawn).outlineStyle === 'none') told.unseen.push(words(target));
  });
  told.missing = () => all.filter((element) => element.isConnected && usable(element) && !told.seen.has(group(element))).map(words);
  // Enter and Space act by the browser itself on these; anything else would have to be tried.
  return {
    count: all.filter(usable).length,
    odd: all.filter((element) => usable(element) && !native.test(element.tagName)).map(words),
    mute: all.filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.tabIndex < 0 &&
      !element.closest('[inert]') && !element.disabled && element.type !== 'hidden').map(words),
  };
}

/** Goes round the page by Tab: everything is reached, the focus is seen, and it comes out again. */
export async function goRound(page, name) {
  const { count, odd, mute } = await page.evaluate(watchFocus);
  assert.deepEqual(odd, [], `${name}: no native control`);
  assert.deepEqual(mute, [], `${name}: not reached by Tab`);
  let pressed = 0;
  let round = count === 0;
  for (; !round && pressed < MOST; pressed += AT_ONCE) {
    // Without waiting for each: the browser takes them in their order.
    await Promise.all(Array.from({ length: AT_ONCE }, () => page.keyboard.press('Tab')));
    round = await page.evaluate(() => window.focusTold.round || window.focusTold.missing().length === 0);
  }
  const { missing, unseen, back } = await page.evaluate(() => ({
    missing: window.focusTold.missing(),
    unseen: window.focusTold.unseen,
    back: window.focusTold.back,
  }));
  assert.ok(round, `${name}: the focus does not come round in ${MOST} presses of Tab`);
  assert.deepEqual(missing, [], `${name}: never has the focus`);
  assert.deepEqual(unseen, [], `${name}: has the focus and shows nothing`);
  assert.ok(back.length <= 1, `${name}: the focus jumps back: ${back.join(', ')}`);
}

/* In the page: from here on nothing goes out, and what a press did can be asked. */
function watchPress() {
  const told = { asked: false };
  const pressed = document.activeElement;
  const before = location.href;
  const ask = window.fetch;
  window.fetch = (url, init) => {
    told.asked = true;
    return (init?.method ?? 'GET') === 'GET' ? ask(url, init) : new Promise(() => {});
  };
  XMLHttpRequest.prototype.send = () => (told.asked = true);
  document.addEventListener('click', (event) => {
    if (!event.target.closest('a[download]')) return;
    event.preventDefault();
    told.asked = true;
  });
  window.pressTold = () => told.asked || location.href !== before || document.activeElement !== pressed;
}

const ACTIVE = '.btn.main:not([aria-disabled])';

/**
 * The page's first main button or link by Enter: a request, a file, another page, or the focus where
 * something is to be done. Nothing is sent; the page is of no use afterwards. Gives what was pressed.
 */
export async function pressMain(page, name, pressed = new Set()) {
  const main = page.locator(`main ${ACTIVE}`).filter({ visible: true }).first();
  if ((await main.count()) === 0) return '';
  const words = await main.innerText();
  if (pressed.has(words)) return words;
  // A search for nothing finds what is there already.
  const search = page.locator('form[role=search]').filter({ has: page.locator(ACTIVE) }).locator('input').first();
  if ((await search.count()) > 0) await search.fill('S2026');
  await main.focus();
  await page.evaluate(watchPress);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => window.pressTold()).catch(() => assert.fail(`${name}: Enter on "${words}" does nothing`));
  return words;
}
