// A slow line, and one on which no answer comes: every page of the route table says that it loads, every
// form that it sends; nothing is sent twice, and what was typed stays.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, launch, newPage, settled, signIn } from '../lib/browser.mjs';
import { OPEN_PAGES, pagesOf } from '../lib/routes.mjs';
import { goSlowly, putOnLine, sendOnDeadLine, sent, slow } from '../lib/slow.mjs';
import { apiAs, demo, newDoctor, newSeminar, today } from '../lib/stack.mjs';
import { anAddress, ROLES, somebody } from '../lib/visit.mjs';

const LATENCY_MS = 200;
/* What they ask for stands in the address: pressed twice they say the same. */
const FILTERS = ['/me/credits 検索する', '/seminars 検索する', '/me/seminars 検索する', '/delegations/{id}/seminars 検索する', '/uploads/{id} 検索する', '/members 表示する', '/reads 記録を探す'];
const FORMS_LEAST = 20;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Each page once, by the first role that may open it. */
const taken = new Set();
const TABLE = ROLES.map((role) => [role, pagesOf(role).filter((pattern) => !taken.has(pattern) && taken.add(pattern))]).filter(
  ([, patterns]) => patterns.length > 0,
);

for (const [role, patterns] of TABLE)
  test(`pages of ${role} say that they load`, async () => {
    const page = await newPage(browser);
    await signIn(page, await somebody(role), '/account');
    await settled(page);
    await slow(page, LATENCY_MS);
    const silent = [];
    for (const pattern of patterns) {
      const { asked, said } = await goSlowly(page, anAddress(pattern), settled);
      if (asked && !said) silent.push(pattern);
    }
    assert.deepEqual(silent, [], 'pages that do not say that they load');
    await close(page);
  });

/** Opens what is folded, and waits until what that brings is there. */
async function unfold(page) {
  await page.evaluate(async () => {
    for (const part of document.querySelectorAll('main details')) part.open = true;
    for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  });
  await settled(page);
}

const sentForms = [];

/** Sends each form of a page, also those that are folded. */
async function formsOf(page, line, pattern) {
  for (let at = 0; ; at++) {
    line.dead = false;
    await page.goto(anAddress(pattern));
    await settled(page);
    await unfold(page);
    const form = page.locator('main form').filter({ visible: true }).filter({ has: page.locator('button[type=submit]') }).nth(at);
    if ((await form.count()) === 0) return;
    const name = `${pattern} ${await form.locator('button[type=submit]').last().innerText()}`;
    // A file goes out in another way: upload.test.mjs.
    if (FILTERS.includes(name) || (await form.locator('input[type=file]').count()) > 0) continue;
    await sendOnDeadLine(page, line, form, name);
    sentForms.push(name);
  }
}

for (const [role, patterns] of [['nobody', [...OPEN_PAGES, '/link#x.y']], ...TABLE])
  test(`forms of ${role} send once, and tell when no answer comes`, async () => {
    const line = { dead: false, asked: [] };
    const page = await putOnLine(await newPage(browser), line);
    if (role !== 'nobody') await signIn(page, await somebody(role), '/account');
    const faults = [];
    for (const pattern of patterns) await formsOf(page, line, pattern).catch(({ message }) => faults.push(message));
    assert.deepEqual(faults, []);
    await close(page);
  });

test('the forms were found', () => assert.ok(sentForms.length >= FORMS_LEAST, sentForms.join(', ')));

/* Each: who, where, what opens the dialog. */
const DIALOGS = {
  'ending a delegation': async () => {
    const doctor = await newDoctor();
    await (await apiAs(doctor))('POST', '/me/delegates', { name: '受付　花子', email: `slow${doctor.mamis_no}@example.jp` });
    return [doctor, '/me/delegates', '受付　花子 さんの登録を取り消す'];
  },
  'taking a procedure back': async () => {
    const doctor = await newDoctor({ l1_code: '', l2_code: '', l3_category: '' });
    const api = await apiAs(doctor);
    const filed = await api('POST', '/me/procedures', { kind: 'admission', depth: 2, l1_code: '13001', effective_on: await today() });
    return [doctor, `/me/procedures/${filed.procedure_id}`, '取り下げる…'];
  },
  'undoing an upload': async () => [demo.accounts.organiser, `/uploads/${await anUpload()}`, '取り込みを取り消す…'],
  'mending a row': async () => [demo.accounts.organiser, `/uploads/${await anUpload()}`, '1番目の行を直す'],
  'linking certification data': async () => {
    await newDoctor({ my_page: 'link_pending', op_no: String(Date.now()).slice(-7), op_from: '2024-04-01', op_to: '2029-03-31' });
    return [demo.accounts.office_l3, '/desk/links', /さんの情報を反映する$/];
  },
};

/** An upload of one row that waits to be mended. */
async function anUpload() {
  const { seminar_no } = await newSeminar();
  const api = await apiAs(demo.accounts.organiser);
  const { upload_id } = await api('POST', `/seminars/${seminar_no}/attendance`, { rows: [{ register_no: '12-34' }] });
  return upload_id;
}

for (const [name, make] of Object.entries(DIALOGS))
  test(`${name}: the dialog sends once, and tells when no answer comes`, async () => {
    const [who, path, opens] = await make();
    const line = { dead: false, asked: [] };
    const page = await putOnLine(await newPage(browser), line);
    await signIn(page, who, path);
    await settled(page);
    await page.getByRole('button', { name: opens, exact: typeof opens === 'string' }).first().click();
    await sendOnDeadLine(page, line, page.getByRole('dialog').locator('form'), name);
    await close(page);
  });

test('signing in: the button says so and does it once', async () => {
  const page = await newPage(browser);
  await page.goto('/login');
  await settled(page);
  await slow(page);
  const tries = sent(page, 'POST', '/api/v1/session');
  await page.getByLabel('ログインID').fill(demo.accounts.doctor.login_id);
  await page.getByLabel('パスワード', { exact: true }).fill(demo.accounts.doctor.password);
  await page.getByRole('button', { name: 'ログインする' }).dblclick();
  const busy = page.getByRole('button', { name: '送信しています…' });
  await busy.waitFor();
  assert.equal(await busy.getAttribute('aria-disabled'), 'true');
  await busy.dispatchEvent('click');
  await page.getByLabel('パスワード', { exact: true }).press('Enter');
  await page.waitForURL('**/me');
  assert.equal(tries.length, 1);
  await close(page);
});

test('sending a file: how much has gone out is seen, and it goes once', async () => {
  const { seminar_no } = await newSeminar();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser, `/seminars/${seminar_no}`);
  await settled(page);
  const rows = Array.from({ length: 8_000 }, (_, at) => String(1_000_000 + at)).join('\n'); // 3 s of that line
  await page.locator('#file').setInputFiles({ name: '名簿.csv', mimeType: 'text/csv', buffer: Buffer.from(`医籍登録番号\n${rows}\n`) });
  await page.getByText('選んだファイル: 名簿.csv').waitFor();
  await slow(page, LATENCY_MS);
  const files = sent(page, 'POST', `/api/v1/seminars/${seminar_no}/attendance`);
  await page.getByRole('button', { name: '名簿を送信する' }).dblclick();
  await page.getByRole('progressbar', { name: '名簿を送信する' }).waitFor();
  await page.getByText(/[1-9]\d?%/).first().waitFor();
  await page.waitForURL('**/uploads/*');
  assert.equal(files.length, 1);
  await close(page);
});

test('what was typed stays when the line breaks, and goes out when it is back', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/delegates');
  await settled(page);
  await page.getByLabel('氏名').fill('切れた　回線');
  await page.getByLabel('メールアドレス').fill(`cut${doctor.mamis_no}@example.jp`);
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'ご案内を送る' }).click();
  await page.getByText('サーバーにつながりません').first().waitFor();
  assert.equal(await page.getByLabel('氏名').inputValue(), '切れた　回線');
  await page.context().setOffline(false);
  const invited = sent(page, 'POST', '/api/v1/me/delegates');
  await slow(page, LATENCY_MS);
  await page.getByRole('button', { name: 'ご案内を送る' }).dblclick();
  await page.getByText('ご案内を送りました。').waitFor();
  assert.equal(invited.length, 1);
  await close(page);
});
