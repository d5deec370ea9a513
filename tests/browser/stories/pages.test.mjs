// Every page that a role's menu leads to, in English, and what holds for all pages: the content policy.
// every_page.test.mjs looks at each of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, signIn } from '../lib/browser.mjs';
import { baseUrl, demo } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const PAGES = {
  doctor: ['/me', '/me/credits', '/me/applications', '/me/handbook', '/me/certificates', '/me/procedures', '/me/procedures/new', '/me/training', '/me/profile', '/me/delegates', '/me/corrections', '/me/data', '/account', '/account/security'],
  organiser: ['/seminars', `/seminars/${demo.sample.seminar_no}`, '/uploads', `/uploads/${demo.sample.upload_id}`, '/account', '/account/security'],
  office_l1: ['/procedures', '/procedures/new', '/procedures/training', '/members', '/seminars', '/uploads', '/account', '/account/security'],
  office_l2: ['/applications', '/corrections', '/reissues', '/procedures', '/members', '/seminars', '/uploads', '/account', '/account/security'],
  office_l3: ['/applications', '/corrections', '/desk', '/desk/signups', '/desk/links', '/merges', '/reissues', '/procedures', '/members', '/seminars', '/uploads', '/account', '/account/security'],
  call_centre: ['/desk', '/desk/signups', '/reissues', '/account', '/account/security'],
  admin: ['/account', '/account/security'],
};

for (const [role, paths] of Object.entries(PAGES)) {
  test(`pages of ${role} in English`, async () => {
    const page = await newPage(browser);
    await signIn(page, demo.accounts[role]);
    await page.getByRole('button', { name: 'English' }).click();
    for (const path of paths) {
      await page.goto(path);
      await settled(page);
      const words = await page.locator('main').innerText();
      assert.equal(await page.locator('.notice.bad').count(), 0, `${path} shows no error`);
      assert.doesNotMatch(words, /undefined|\[object/, path);
      assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    }
    await close(page);
  });
}

test('a page that does not come says so, and comes when it is loaded again', async () => {
  const page = await newPage(browser);
  await page.route(/\/assets\/verify-.*\.js/, (route) => route.abort());
  await page.goto('/verify');
  await page.getByRole('heading', { name: '画面を読み込めませんでした' }).waitFor();
  await audit(page, 'a page that did not come');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'もう一度読み込む' }).click();
  await page.getByRole('heading', { name: '単位取得証明書の確認' }).waitFor();
  await close(page);
});

test('an address that takes no mail is told on every page', async () => {
  const page = await newPage(browser);
  await page.route('**/api/v1/me', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), email_undeliverable: true } });
  });
  await signIn(page, demo.accounts.doctor);
  for (const path of ['/me', '/me/credits']) {
    await page.goto(path);
    await page.getByText('メールをお届けできません').waitFor();
    await audit(page, `refused address ${path}`);
  }
  await page.getByRole('link', { name: 'メールアドレスを変更する' }).click();
  await page.waitForURL('**/account');
  await close(page);
});

test('nothing moves for people who ask for less motion', async () => {
  const page = await newPage(browser, { reducedMotion: 'reduce' });
  await page.goto('/login');
  await settled(page);
  const moving = await page.evaluate(
    () => [...document.querySelectorAll('*')].filter((element) => getComputedStyle(element).transitionDuration !== '0s').length,
  );
  assert.equal(moving, 0);
  await close(page);
});

test('the content policy is strict and the page is not kept', async () => {
  const answer = await fetch(`${baseUrl}/login`);
  const policy = answer.headers.get('content-security-policy');
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"])
    assert.ok(policy.includes(part), part);
  assert.match(answer.headers.get('cache-control'), /no-cache/);
});
