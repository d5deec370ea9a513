// Two records of one doctor: an officer proposes to merge them, which changes nothing; another one
// sees both side by side and confirms.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { demo, mailTo, mamisctl, newDoctor, PASSWORD } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function newOfficer() {
  const login_id = `l3-story-${Date.now()}`;
  await mamisctl('account', 'create', '--role', 'office_l3', '--login', login_id, '--password', PASSWORD, '--name', '確認　次郎');
  return { login_id, password: PASSWORD };
}

/** In the dialog that is open. */
async function giveReason(page, action, reason) {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: action }).click();
  await page.locator('#reason-error').waitFor();
  await audit(page, action);
  await dialog.getByLabel(/^理由/).fill(reason);
  await dialog.getByRole('button', { name: action }).click();
}

test('one officer proposes, another confirms, and one record is left', async () => {
  const kept = await newDoctor({ name: '統合　物語', name_kana: 'トウゴウ　モノガタリ', birth_on: '1966-07-08' });
  const closed = await newDoctor({ name: '統合　物語', name_kana: 'トウゴウ　モノガタリ', birth_on: '1966-07-08' });
  const page = await newPage(browser);
  await signIn(page, demo.accounts.office_l3);
  await page.getByRole('link', { name: '登録の統合' }).click();
  await page.waitForURL('**/merges');
  await press(page, '並べて見る');
  await page.locator('#keep_register_no-error').waitFor();
  await audit(page, 'merges with errors');
  await page.getByLabel(/^残す登録の医籍登録番号/).fill(closed.register_no);
  await page.getByLabel(/^閉じる登録の医籍登録番号/).fill(kept.register_no);
  await page.locator('main form').getByRole('button', { name: '並べて見る', exact: true }).click();
  await page.getByRole('heading', { name: '2つの登録', exact: true }).waitFor();
  await press(page, '残す方と閉じる方を入れ替える');
  await page.getByRole('row', { name: /^医籍登録番号/ }).getByRole('cell').first().getByText(kept.register_no).waitFor();
  await audit(page, 'two records side by side');
  await shot(page, 'merge');
  await press(page, '統合を提案する');
  await giveReason(page, '統合を提案する', 'はがきの登録の後に、もう一度申し込まれました。');
  await page.waitForURL('**/merges/*');
  await page.getByText('あなたの提案です。').waitFor();
  assert.equal(await page.getByRole('button', { name: '確認して統合する' }).count(), 0);
  await audit(page, 'own proposal');
  const address = new URL(page.url()).pathname;
  await close(page);

  const other = await newPage(browser);
  await signIn(other, await newOfficer(), address);
  await other.getByText('はがきの登録の後に、もう一度申し込まれました。').waitFor();
  await press(other, '確認して統合する');
  await giveReason(other, '確認して統合する', '免許証の写しを確かめました。');
  await other.getByText('統合しました。', { exact: false }).waitFor();
  await other.getByText('統合済み').first().waitFor();
  await settled(other);
  await audit(other, 'merged');
  await close(other);
  await mailTo(closed.email, /1つにまとめました/);
});
