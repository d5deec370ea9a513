// What was posted is taken back: one credit of a row, then the whole upload; the doctor sees the
// history with the reason.
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, signIn } from '../lib/browser.mjs';
import { demo, newDoctor, newSeminar } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function post(page, seminar, doctor) {
  await page.goto(`/seminars/${seminar.seminar_no}`);
  const buffer = Buffer.from(`register_no\n${doctor.register_no}\n`);
  await page.locator('#file').setInputFiles({ name: 'one.csv', mimeType: 'text/csv', buffer });
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.waitForURL('**/uploads/*');
  await page.getByRole('button', { name: '1番目の行の単位と履歴' }).waitFor();
}

test('a credit is cancelled, then the upload undone; the doctor sees why', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser);
  await page.waitForURL('**/seminars');
  await post(page, seminar, doctor);

  await page.getByRole('button', { name: '1番目の行の単位と履歴' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /生涯・専門.*を取り消す/ }).click();
  await dialog.getByRole('button', { name: 'この単位を取り消す' }).click();
  await dialog.getByText('取り消す理由').first().waitFor();
  await audit(page, 'cancelling a credit');
  await dialog.getByLabel('取り消す理由').fill('受講者を取り違えたため');
  await dialog.getByRole('button', { name: 'この単位を取り消す' }).click();
  await dialog.getByText('受講者を取り違えたため').waitFor();
  await dialog.getByText('取消', { exact: true }).waitFor();
  await audit(page, 'credits of a row');
  await dialog.getByRole('button', { name: '閉じる' }).click();

  await page.getByRole('button', { name: '取り込みを取り消す…' }).click();
  await dialog.getByText('登録済みの1行の単位を取り消します。', { exact: false }).waitFor();
  await dialog.getByLabel('取り消す理由').fill('別の研修会の名簿でした。');
  await audit(page, 'undoing an upload');
  await dialog.getByRole('button', { name: 'すべて取り消す' }).click();
  await page.getByText('この取り込みは取り消されました').waitFor();
  await page.getByText('別の研修会の名簿でした。').waitFor();
  await page.getByText('取り消し済み').waitFor();
  await page.getByRole('button', { name: '取り込みを取り消す…' }).waitFor({ state: 'detached' });
  await audit(page, 'undone upload');
  await post(page, seminar, doctor); // once more, and it posts again
  await close(page);

  const own = await newPage(browser);
  await signIn(own, doctor);
  await own.getByRole('link', { name: '単位', exact: true }).click();
  await own.waitForURL('**/me/credits');
  const rows = own.getByRole('row').filter({ hasText: seminar.title });
  await rows.filter({ hasText: '取消' }).filter({ hasText: '生涯・専門' }).getByRole('link', { name: /履歴/ }).click();
  await own.getByRole('heading', { name: '単位の履歴' }).waitFor();
  const steps = own.getByRole('list', { name: 'これまでの記録' }).getByRole('listitem');
  await steps.filter({ hasText: '受講者を取り違えたため' }).waitFor();
  await steps.nth(2).getByText('登録', { exact: true }).waitFor();
  await audit(own, 'history of a credit');
  await close(own);
});
