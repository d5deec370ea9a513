// Staff who look at a doctor's data say why; the doctor sees that they did, and so does the auditor.
import { after, before, test } from 'node:test';
import { audit, close, launch, newPage, settled, shot, signIn } from '../lib/browser.mjs';
import { demo, newDoctor } from '../lib/stack.mjs';
import { somebody } from '../lib/visit.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** Another register number, from the profile: an officer proposes it, a colleague decides. */
async function proposeNumber(page, doctor) {
  await page.getByLabel('MAMIS番号').fill(doctor.mamis_no);
  await press(page, '表示する');
  await page.getByRole('heading', { name: doctor.name }).waitFor();
  await page.getByText(doctor.register_no).waitFor();
  await press(page, '医籍登録番号を変更する');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: '変更を提案する' }).click();
  await page.locator('#number_reason-error').waitFor();
  await audit(page, 'another register number');
  await dialog.getByLabel(/^新しい医籍登録番号/).fill(`1${doctor.register_no.slice(1)}`);
  await dialog.getByLabel(/^変更の理由/).fill('国籍の変更により、新しい番号で登録されました。');
  await dialog.getByRole('button', { name: '変更を提案する' }).click();
  await page.waitForURL('**/merges/*');
  await page.getByRole('heading', { name: `${doctor.name}さんの医籍登録番号の変更` }).waitFor();
  await page.getByText('あなたの提案です。').waitFor();
  await audit(page, 'proposal of a register number');
  await press(page, '取り下げる');
  await page.getByText('取り下げました。').waitFor();
}

test('a look is noted, with its reason, for the doctor and the auditor', async () => {
  const doctor = await newDoctor();
  const page = await newPage(browser);
  await signIn(page, await somebody('auditor'), '/doctors');
  await page.getByLabel('MAMIS番号').fill(doctor.mamis_no);
  await press(page, '表示する');
  await page.locator('#reason-error').waitFor();
  await page.locator('#reason').fill('電話での照会に答えるため');
  await press(page, '表示する');
  await page.getByRole('heading', { name: doctor.name }).waitFor();
  await audit(page, 'profile of a doctor');

  const office = await newPage(browser);
  await signIn(office, demo.accounts.office_l3, '/doctors');
  await office.getByLabel('MAMIS番号').fill(doctor.mamis_no);
  await press(office, '表示する');
  await office.getByRole('heading', { name: doctor.name }).waitFor();
  await proposeNumber(office, await newDoctor());
  await close(office);

  const own = await newPage(browser);
  await signIn(own, doctor, '/me/reads');
  await own.getByRole('row', { name: /監査/ }).waitFor();
  await own.getByRole('row', { name: /全国医師会/ }).waitFor();
  await audit(own, 'who looked');
  await shot(own, 'who-looked');
  await close(own);

  await page.goto(`/reads?mamis_no=${doctor.mamis_no}`);
  await page.getByRole('row', { name: /電話での照会に答えるため/ }).waitFor();
  await page.getByRole('row', { name: /全国医師会/ }).waitFor();
  await audit(page, 'all reads of a doctor');
  await close(page);
});
