// The whole first login by keyboard alone: no pointer is used, the focus can be seen at each stop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, launch, newPage, settled, tabTo } from '../lib/browser.mjs';
import { mailTo, newDoctor } from '../lib/stack.mjs';

const OWN = '鍵盤だけで決めた長い合言葉です';
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function press(page, name) {
  await tabTo(page, page.getByRole('button', { name, exact: true }));
  await page.keyboard.press('Enter');
}

async function type(page, label, text) {
  await tabTo(page, page.getByLabel(label));
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

/** A new step: its heading is there and has the focus, or the page begins at its top. */
const step = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();

test('from the postcard to My Page without a pointer', async () => {
  const doctor = await newDoctor({ my_page: 'temp_issued', email: '' });
  const address = `key${doctor.register_no}@example.jp`;
  const page = await newPage(browser);
  await page.goto('/login');
  await settled(page);
  await type(page, 'ログインID', doctor.login_id);
  await tabTo(page, page.getByLabel('パスワード', { exact: true }));
  await page.keyboard.insertText(doctor.password);
  await page.keyboard.press('Enter');

  await step(page, '利用規約への同意');
  // The text of the terms scrolls by keyboard too.
  await tabTo(page, page.getByRole('region', { name: /利用規約/ }));
  await page.keyboard.press('PageDown');
  await press(page, '同意して次へ進む');
  // The summary of what is missing has the focus; its link leads to the field.
  await page.getByRole('link', { name: /チェックを入れてください/ }).waitFor();
  await tabTo(page, page.getByRole('link', { name: /チェックを入れてください/ }));
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'agree');
  await page.keyboard.press('Space');
  await press(page, '同意して次へ進む');

  await step(page, 'メールアドレスの登録');
  await type(page, /^メールアドレス/, address);
  await page.keyboard.press('Enter');
  await step(page, 'メールをご確認ください');
  const [, link] = /(\/link#[\w.-]+)/.exec(await mailTo(address, /\/link#/));
  const elsewhere = await newPage(browser);
  await elsewhere.goto(link);
  await settled(elsewhere);
  await press(elsewhere, '手続きを進める');
  await step(elsewhere, 'メールアドレスを確認しました');
  await close(elsewhere);

  await step(page, '利用者登録情報の入力');
  await type(page, /^生年月日/, '昭和53年5月4日');
  await type(page, '勤務先の名称', '鍵盤診療所');
  await press(page, '確認画面へ進む');
  await step(page, '登録情報の確認');
  await press(page, '登録する');
  await step(page, 'ご自身のパスワードの設定');
  await type(page, '新しいパスワード', OWN);
  await page.keyboard.press('Enter');
  await step(page, 'マイページの登録が終わりました');
  await tabTo(page, page.getByRole('link', { name: 'マイページへ' }));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/me');
  await settled(page);
  // Entering a page puts the focus on its heading, so that the next Tab goes on from there.
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  await close(page);
});
