// The doctor's own data: step of the first login with a page to check it, and the page to change it.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer, Body } from '../api/types';
import { Button, Facts, Notice, PageTitle } from '../parts/basics';
import { SendButton } from '../parts/fields';
import { FormBox, useForm, type Errors, type Form } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { ProfileFields } from '../parts/profile_fields';
import { refresh } from '../session';
import { dateText } from '../text/format';
import { dayOf } from '../text/days';
import { t } from '../text/messages';
import { prefectureName } from '../text/prefectures';
import { EmailChange } from './account';

type Profile = Answer<'/api/v1/me/profile', 'get'>;
type Input = Required<Body<'/api/v1/me/profile', 'put'>>;
export type ProfileForm = Form<Input>;

const inputOf = (profile: Profile): Input => ({
  name: profile.name,
  name_kana: profile.name_kana,
  former_name: profile.former_name,
  former_name_kana: profile.former_name_kana,
  sex: profile.sex,
  birth_on: profile.birth_on ?? '',
  workplace_name: profile.workplace_name,
  workplace_postcode: profile.workplace_postcode,
  workplace_address: profile.workplace_address,
  residence_prefecture: profile.residence_prefecture,
  residence_municipality: profile.residence_municipality,
  phone: profile.phone,
});

/** Digits as the server wants them, from whatever width and spacing they were typed in. */
const digits = (text: string): string => text.normalize('NFKC').replace(/[\s()]/g, '').replace(/[‐－ー−]/g, '-');

/** A residence is asked of who has no workplace. */
const residenceOf = (values: Input): Pick<Input, 'residence_prefecture' | 'residence_municipality'> =>
  values.workplace_name.trim()
    ? { residence_prefecture: '', residence_municipality: '' }
    : { residence_prefecture: values.residence_prefecture, residence_municipality: values.residence_municipality.trim() };

const tidy = (values: Input): Input => ({
  ...values,
  ...residenceOf(values),
  name: values.name.trim(),
  name_kana: values.name_kana.trim(),
  former_name: values.former_name.trim(),
  former_name_kana: values.former_name_kana.trim(),
  birth_on: dayOf(values.birth_on) ?? values.birth_on,
  workplace_postcode: digits(values.workplace_postcode),
  phone: digits(values.phone),
});

function check(values: Input): Errors {
  const errors: Errors = {};
  if (!values.name.trim()) errors['name'] = t('must_fill', { field: t('name') });
  if (!values.name_kana.trim()) errors['name_kana'] = t('must_fill', { field: t('name_kana') });
  if (!dayOf(values.birth_on)) errors['birth_on'] = t('birth_wrong');
  const lives = residenceOf(values);
  if (lives.residence_municipality && !lives.residence_prefecture) errors['residence_prefecture'] = t('residence_both');
  if (lives.residence_prefecture && !lives.residence_municipality) errors['residence_municipality'] = t('residence_both');
  return errors;
}

const read = (signal: AbortSignal) => call('get', '/api/v1/me/profile', { signal });

export function ProfileStep() {
  const loaded = useLoad(read, []);
  return <LoadBox from={loaded}>{(profile) => <StepForm profile={profile} />}</LoadBox>;
}

function StepForm({ profile }: { profile: Profile }) {
  const form = useForm(inputOf(profile), check);
  const [checking, setChecking] = useState(false);
  const values = tidy(form.values);
  if (!checking)
    return (
      <>
        <PageTitle>{t('profile_title')}</PageTitle>
        <FormBox
          form={form}
          send={async () => {
            setChecking(true);
            window.scrollTo(0, 0);
          }}
        >
          <ProfileFields form={form} />
          <div>
            <SendButton busy={form.busy}>{t('profile_check')}</SendButton>
          </div>
        </FormBox>
      </>
    );
  return (
    <>
      <PageTitle>{t('profile_check_title')}</PageTitle>
      <p>{t('profile_check_lead')}</p>
      <FormBox
        form={form}
        send={async () => {
          try {
            await command('put', '/api/v1/me/profile', { body: values });
          } catch (cause) {
            setChecking(false); // where the fields are, with what is wrong beside them
            throw cause;
          }
          await refresh();
          window.scrollTo(0, 0);
        }}
      >
        <ProfileFacts values={values} />
        <div class="row">
          <SendButton busy={form.busy}>{t('profile_send')}</SendButton>
          <Button onClick={() => setChecking(false)}>{t('profile_edit')}</Button>
        </div>
      </FormBox>
    </>
  );
}

function ProfileFacts({ values }: { values: Input }) {
  return (
    <Facts
      rows={[
        [t('name'), values.name],
        [t('name_kana'), values.name_kana],
        [t('former_name'), values.former_name],
        [t('former_name_kana'), values.former_name_kana],
        [t('birth_on'), dateText(values.birth_on)],
        [t('sex'), values.sex === 'M' ? t('sex_m') : values.sex === 'F' ? t('sex_f') : t('sex_none')],
        [t('workplace_name'), values.workplace_name],
        [t('workplace_postcode'), values.workplace_postcode],
        [t('workplace_address'), values.workplace_address],
        [t('residence'), prefectureName(values.residence_prefecture) + values.residence_municipality],
        [t('phone_no'), values.phone],
      ]}
    />
  );
}

export function ProfilePage() {
  const loaded = useLoad(read, []);
  return (
    <div class="stack wide read">
      <PageTitle>{t('profile_page')}</PageTitle>
      <LoadBox from={loaded}>
        {(profile) => (
          <>
            <section class="stack" aria-labelledby="fixed">
              <h2 id="fixed">{t('fixed_data')}</h2>
              <Facts
                rows={[
                  [t('mamis_no'), <span class="num">{profile.mamis_no}</span>],
                  [t('register_no'), <span class="num">{profile.register_no}</span>],
                  [t('email'), profile.email],
                ]}
              />
              <EmailChange pending={profile.pending_email} />
              <p>
                <a href="/me/reads">{t('my_reads_open')}</a>
              </p>
              <p>
                <a href="/account">{t('to_password')}</a>
              </p>
            </section>
            <ChangeForm profile={profile} />
            <section class="stack" aria-labelledby="privacy">
              <h2 id="privacy">{t('privacy_more')}</h2>
              <ul>
                <li>
                  <a href="/me/delegates">{t('delegates_title')}</a>
                </li>
                <li>
                  <a href="/me/corrections">{t('corrections_title')}</a>
                </li>
                <li>
                  <a href="/me/data">{t('data_title')}</a>
                </li>
              </ul>
            </section>
          </>
        )}
      </LoadBox>
    </div>
  );
}

function ChangeForm({ profile }: { profile: Profile }) {
  const form = useForm(inputOf(profile), check);
  const [saved, setSaved] = useState(false);
  return (
    <section class="stack" aria-labelledby="change">
      <h2 id="change">{t('profile_change')}</h2>
      <FormBox
        form={form}
        send={async () => {
          setSaved(false);
          const values = tidy(form.values);
          await command('put', '/api/v1/me/profile', { body: values });
          form.reset(values);
          setSaved(true);
          await refresh(); // the header shows the name
        }}
      >
        <ProfileFields form={form} />
        {saved && (
          <Notice tone="good" alert>
            <p>{t('saved')}</p>
          </Notice>
        )}
        <div>
          <SendButton busy={form.busy}>{t('save')}</SendButton>
        </div>
      </FormBox>
    </section>
  );
}
