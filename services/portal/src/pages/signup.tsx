// Sign-up of doctors who hold no postcard: identity data, and behind the mailed link the licence.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { sendLicence } from '../api/send_licence';
import { Notice, PageTitle } from '../parts/basics';
import { ChoiceField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm, type Found } from '../parts/form';
import { dayOf } from '../text/days';
import { t } from '../text/messages';
import { ts } from '../text/signup';
import { looksLikeEmail } from './start';

const LICENCE_BYTES_MAX = 10 * 1024 * 1024;

const empty = { name: '', name_kana: '', sex: '', birth_on: '', register_no: '', licensed_on: '', email: '' };

const digits = (text: string): string => text.normalize('NFKC').replace(/\s/g, '');

const check = (values: typeof empty): Found => ({
  name: values.name.trim() ? undefined : t('must_fill', { field: t('name') }),
  name_kana: values.name_kana.trim() ? undefined : t('must_fill', { field: t('name_kana') }),
  sex: values.sex ? undefined : ts('sex_must'),
  birth_on: dayOf(values.birth_on) ? undefined : t('birth_wrong'),
  register_no: /^0*[1-9]\d{0,6}$/.test(digits(values.register_no)) ? undefined : ts('register_no_wrong'),
  licensed_on: dayOf(values.licensed_on) ? undefined : ts('licensed_on_wrong'),
  email: looksLikeEmail(values.email) ? undefined : t('email_wrong'),
});

export function SignupPage() {
  const [sent, setSent] = useState('');
  const form = useForm(empty, check);
  const { values, errors, set } = form;
  if (sent)
    return (
      <div class="stack read">
        <PageTitle>{ts('sent')}</PageTitle>
        <Notice tone="good">
          <p>{ts('sent_detail', { email: sent })}</p>
        </Notice>
      </div>
    );
  const field = (id: Exclude<keyof typeof empty, 'sex'>) => ({
    id,
    need: true,
    value: values[id],
    error: errors[id],
    onValue: (value: string) => set(id, value),
  });
  return (
    <div class="stack wide read">
      <PageTitle>{ts('title')}</PageTitle>
      <p>{ts('lead')}</p>
      <ol>
        <li>{ts('step_1')}</li>
        <li>{ts('step_2')}</li>
        <li>{ts('step_3')}</li>
      </ol>
      <FormBox
        form={form}
        send={async (given) => {
          const email = given.email.trim();
          await call('post', '/api/v1/signups', {
            body: {
              name: given.name.trim(),
              name_kana: given.name_kana.trim(),
              sex: given.sex as 'M' | 'F',
              birth_on: dayOf(given.birth_on) ?? given.birth_on,
              register_no: digits(given.register_no),
              licensed_on: dayOf(given.licensed_on) ?? given.licensed_on,
              email,
            },
          });
          setSent(email);
          window.scrollTo(0, 0);
        }}
      >
        <TextField {...field('name')} label={t('name')} autocomplete="name" size="middle" max={120} />
        <TextField {...field('name_kana')} label={t('name_kana')} hint={t('kana_hint')} size="middle" max={200} />
        <ChoiceField
          id="sex"
          need
          legend={t('sex')}
          value={values.sex}
          error={errors['sex']}
          options={[
            ['M', t('sex_m')],
            ['F', t('sex_f')],
          ]}
          onValue={(value) => set('sex', value)}
        />
        <TextField {...field('birth_on')} label={t('birth_on')} hint={t('birth_hint')} autocomplete="bday" size="short" max={20} />
        <TextField
          {...field('register_no')}
          label={ts('register_no')}
          hint={ts('register_no_hint')}
          inputMode="numeric"
          size="short"
          max={30}
        />
        <TextField {...field('licensed_on')} label={ts('licensed_on')} hint={ts('licensed_on_hint')} size="short" max={20} />
        <TextField {...field('email')} label={t('email')} type="email" inputMode="email" autocomplete="email" max={254} />
        <div>
          <SendButton busy={form.busy}>{ts('send')}</SendButton>
        </div>
      </FormBox>
    </div>
  );
}

/** Behind the link of the confirmation mail; the link works until a licence was taken. */
export function LicenceForm({ link, done }: { link: string; done: () => void }) {
  const [sent, setSent] = useState(false);
  const form = useForm<{ licence: File | null }>({ licence: null }, ({ licence }) => ({
    licence: !licence ? ts('licence_must') : licence.size > LICENCE_BYTES_MAX ? ts('licence_large') : undefined,
  }));
  const error = form.errors['licence'];
  if (sent)
    return (
      <div class="stack read">
        <PageTitle>{ts('done')}</PageTitle>
        <Notice tone="good">
          <p>{ts('done_detail')}</p>
        </Notice>
      </div>
    );
  return (
    <div class="stack read">
      <PageTitle>{ts('licence_title')}</PageTitle>
      <p>{ts('licence_lead')}</p>
      <FormBox
        form={form}
        send={async ({ licence }) => {
          await sendLicence(link, licence!);
          done();
          setSent(true);
        }}
      >
        <div class="field">
          <label for="licence">
            {ts('licence')}
            <span class="need">{t('required')}</span>
          </label>
          <div class="hint" id="licence-hint">
            {ts('licence_hint')}
          </div>
          <input
            id="licence"
            name="licence"
            type="file"
            accept="application/pdf,image/jpeg,image/png"
            aria-describedby={error ? 'licence-hint licence-error' : 'licence-hint'}
            aria-invalid={error ? 'true' : undefined}
            onChange={(event) => form.set('licence', event.currentTarget.files?.[0] ?? null)}
          />
          {error && (
            <p class="error" id="licence-error">
              {error}
            </p>
          )}
        </div>
        <div>
          <SendButton busy={form.busy}>{ts('licence_send')}</SendButton>
        </div>
      </FormBox>
    </div>
  );
}
