// A doctor names a delegate, who sees the credits, signs the doctor up to a seminar and does nothing else,
// until the doctor ends it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { mailTo, newDoctor, newSeminar, today } from '../lib/stack.mjs';

const OWN = '受付の席で決めた長い合言葉です';
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** One click and the answer to its question; what was said then. */
async function ask(page, action, title, told) {
  await page.getByRole('button', { name: title, exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  await audit(page, title);
  await dialog.getByRole('button', { name: action, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(told).waitFor();
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

test('named, accepted, seen, ended', async () => {
  const doctor = await newDoctor();
  const address = `uketsuke-${doctor.mamis_no}@example.jp`;
  const day = await today(20);
  const seminar = await newSeminar({
    starts_at: `${day} 13:00`,
    ends_at: `${day} 15:00`,
    capacity: '1',
    offers: 'OPB-K:2|OPL-S:2',
  });
  const page = await newPage(browser);
  await signIn(page, doctor, '/me/profile');
  await page.getByRole('link', { name: '代理の方' }).click();
  await page.getByText('登録している方はいません。').waitFor();
  // Mistakes stand at their field and in the summary, which takes the focus.
  await press(page, 'ご案内を送る');
  await page.locator('#email-error').waitFor();
  assert.ok(await page.locator('.notice.bad').first().evaluate((box) => box === document.activeElement));
  await audit(page, 'delegates with errors');
  await page.getByLabel('氏名').fill('受付　一郎');
  await page.getByLabel('メールアドレス').fill(address);
  await press(page, 'ご案内を送る');
  await page.getByText(`${address} にご案内を送りました。`).waitFor();
  await page.getByText('返事を待っています').waitFor();
  await audit(page, 'a delegate is invited');

  const [, link] = /(\/link#[\w.-]+)/.exec(await mailTo(address, /\/link#/));
  const other = await newPage(browser);
  await other.goto(link);
  await press(other, '手続きを進める');
  await other.getByRole('heading', { name: '代理の登録を受ける' }).waitFor();
  await audit(other, 'accepting');
  await other.getByLabel('新しいパスワード').fill(OWN);
  await press(other, '登録を受ける');
  await other.getByRole('heading', { name: '代理の登録が終わりました' }).waitFor();
  assert.ok(!other.url().includes('#'), 'the secret has left the address');
  await audit(other, 'accepted');
  await signIn(other, { login_id: address, password: OWN });
  await other.waitForURL('**/delegations');
  await settled(other);
  await audit(other, 'doctors of a delegate');
  await other.getByRole('link', { name: `${doctor.name} 先生の単位` }).click();
  await other.getByRole('heading', { level: 1, name: `${doctor.name} 先生の単位` }).waitFor();
  await audit(other, 'credits as a delegate');
  await other.getByRole('link', { name: `${doctor.name} 先生の研修会の申し込み` }).click();
  await other.getByText('申し込んだ研修会はありません。').waitFor();
  await other.getByLabel('研修会番号または名称の一部').fill(seminar.seminar_no);
  await press(other, '検索する');
  await ask(other, '申し込む', `「${seminar.title}」に申し込む`, '申し込みました。席があります。');
  await audit(other, 'signed up by a delegate');
  await other.goto('/me/credits');
  await other.getByText('見つかりません').first().waitFor();

  await page.reload();
  await page.getByText('見ることができます', { exact: true }).waitFor();
  await page.getByText(/^記録/).click();
  await page.getByText('単位を見ました').first().waitFor();
  await page.getByText(/研修会に申し込みました/).waitFor();
  await audit(page, 'what a delegate did');
  await shot(page, 'delegates');
  await page.goto('/me/seminars');
  await page.getByText('席があります', { exact: true }).first().waitFor();
  await page.getByText('代理の方が申し込みました').first().waitFor();
  await audit(page, 'what one signed up to');
  // The kind can be chosen afterwards, too.
  const choose = `「${seminar.title}」の単位の種別を選ぶ`;
  await page.getByText(/^職場の健康：選ばない/).first().waitFor();
  await page.getByRole('button', { name: choose, exact: true }).first().click();
  const kinds = page.getByRole('dialog');
  await kinds.getByLabel('単位の種別（職場の健康）').selectOption('OPB-K');
  await audit(page, 'choosing a kind');
  await kinds.getByRole('button', { name: '単位の種別を選ぶ', exact: true }).click();
  await page.getByText('単位の種別の希望を受け付けました。').waitFor();
  await page.getByText(/^職場の健康：.*基礎/).first().waitFor();
  await shot(page, 'kinds');
  await ask(page, '申し込みを取り消す', `「${seminar.title}」の申し込みを取り消す`, '申し込みを取り消しました。');
  await page.getByText('取り消しました', { exact: true }).first().waitFor();
  await page.goto('/me/delegates');
  await press(page, '受付　一郎 さんの登録を取り消す');
  const dialog = page.getByRole('dialog');
  await audit(page, 'ending a delegation');
  await dialog.getByRole('button', { name: '取り消す', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('取り消しました', { exact: true }).first().waitFor();
  await other.goto('/delegations');
  await other.getByText('今、あなたを代理として登録している医師はいません。').waitFor();
  await close(other);
  await close(page);
});
