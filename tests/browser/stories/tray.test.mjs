// The tray: a file is only checked first, then posted by one button; rows that did not post are
// mended where they stand, by keyboard too, and by one press where a number close by fits.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, signIn, tabTo } from '../lib/browser.mjs';
import { demo, newDoctor, newMamisNo, newSeminar } from '../lib/stack.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const tile = (page, name) => page.getByRole('button', { name: new RegExp(`^${name}`) });
const counted = (page, name, count) =>
  page.getByRole('button', { name: new RegExp(`^${name}\\s*${count}$`) }).waitFor();
const rowOf = (page, text) => page.getByRole('row').filter({ hasText: text });

async function send(page, seminar, text, { dryRun = false } = {}) {
  await page.goto(`/seminars/${seminar.seminar_no}`);
  await settled(page);
  await page.locator('#file').setInputFiles({ name: '名簿.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await page.getByText('選んだファイル: 名簿.csv').waitFor();
  if (dryRun) await page.getByLabel('まず確認だけする').check();
  await page.getByRole('button', { name: '名簿を送信する' }).click();
  await page.waitForURL('**/uploads/*');
  await tile(page, '計上\\s').waitFor();
}

test('a file is checked first, then posted without sending it again', async () => {
  const doctor = await newDoctor();
  const seminar = await newSeminar();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser, `/seminars/${seminar.seminar_no}`);
  await page.getByLabel('まず確認だけする').waitFor();
  await audit(page, 'seminar with the check box');
  await send(page, seminar, `医籍登録番号\n${doctor.register_no}\n6999999\n`, { dryRun: true });
  await page.getByText('まだ何も登録していません').waitFor();
  await counted(page, '計上', 1);
  assert.equal(await page.getByRole('button', { name: /行を直す/ }).count(), 0, 'nothing to mend yet');
  await audit(page, 'dry run');

  await tabTo(page, page.getByRole('button', { name: 'この内容で登録する' }));
  await page.keyboard.press('Enter');
  await page.getByText('まだ何も登録していません').waitFor({ state: 'detached' });
  await counted(page, '計上', 1);
  await counted(page, '医師不明', 1);
  await close(page);

  const own = await newPage(browser);
  await signIn(own, doctor, '/me/credits');
  await own.getByRole('row').filter({ hasText: seminar.title }).first().waitFor();
  await close(own);
});

test('rows are mended where they stand', async () => {
  const [one, two, three] = await Promise.all([newDoctor(), newDoctor({ name_kana: 'チカイ　バンゴウ' }), newDoctor()]);
  const seminar = await newSeminar();
  const last = Number(two.register_no.slice(-1));
  const near = two.register_no.slice(0, -1) + ((last + 1) % 10);
  const stranger = newMamisNo();
  const page = await newPage(browser);
  await signIn(page, demo.accounts.organiser);
  await send(page, seminar, [
    '医籍登録番号,MAMIS番号,氏名カナ,単位種別,入室時刻,退室時刻',
    `${one.register_no},,シケン　ハナコ,まちがい,,`,
    `${near},,チカイ　バンゴウ,,,`,
    `12-34,,シケン　ハナコ,,,`,
    `${three.register_no},,,,13:05,15時`,
    `,${stranger},,,,`,
  ].join('\n') + '\n');

  // A wrong kind, by keyboard: the dialog keeps the focus and gives it back to the row.
  await tile(page, '要修正').click();
  const kind = rowOf(page, 'まちがい');
  await tabTo(page, kind.getByRole('button', { name: '1番目の行を直す' }));
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: '1番目の行を直す' });
  await dialog.waitFor();
  assert.equal(await dialog.getByLabel('単位種別').inputValue(), 'まちがい');
  await audit(page, 'mending a row');
  await dialog.getByLabel('単位種別').fill('これもちがう');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await rowOf(page, 'これもちがう').getByText('直した行: 要修正').waitFor();
  await page.getByRole('button', { name: '1番目の行を直す' }).click();
  await dialog.getByLabel('単位種別').fill('');
  await dialog.getByRole('button', { name: '直してもう一度判定する' }).click();
  await page.getByText('直した行: 計上').waitFor();
  await counted(page, '計上', 1);
  await audit(page, 'a mended row');

  // A value stands in the cell of its column, whichever of a pair that is.
  const mending = async (n) => {
    await page.getByRole('button', { name: `${n}番目の行を直す` }).click();
    return page.getByRole('dialog', { name: `${n}番目の行を直す` });
  };
  const times = await mending(4);
  assert.equal(await times.getByLabel('入室時刻').inputValue(), '');
  assert.equal(await times.getByLabel('退室時刻').inputValue(), '15時');
  await times.getByLabel('退室時刻').fill('15:00');
  await page.keyboard.press('Enter');
  await counted(page, '計上', 2);
  await tile(page, '医師不明').click();
  const numbers = await mending(5);
  assert.equal(await numbers.getByLabel('医籍登録番号').inputValue(), '');
  assert.equal(await numbers.getByLabel('MAMIS番号').inputValue(), stranger);
  await page.keyboard.press('Escape');
  await numbers.waitFor({ state: 'detached' });

  // Did you mean ...?
  const wrong = rowOf(page, near);
  await wrong.getByText(`もしかして: ${two.register_no}`, { exact: false }).waitFor();
  await audit(page, 'a suggestion');
  await wrong.getByRole('button', { name: `${two.register_no} に直す` }).click();
  await page.getByText('直した行: 計上').waitFor();
  await counted(page, '計上', 3);
  await counted(page, '医師不明', 1);
  await counted(page, '要修正', 1);
  await close(page);
});
