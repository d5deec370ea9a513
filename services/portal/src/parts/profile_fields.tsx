// The fields of the registration data, the same at first login and later.
import type { ProfileForm } from '../pages/profile';
import { t, type Key } from '../text/messages';
import { prefectures } from '../text/prefectures';
import { ChoiceField, SelectField, TextField } from './fields';

type Name = Exclude<keyof ProfileForm['values'], 'sex' | 'residence_prefecture'>;

interface Line {
  label: Key;
  hint?: Key;
  need?: boolean;
  autocomplete?: string;
  size?: 'short' | 'middle';
  type?: 'tel';
  max: number;
}

const LINES: Record<Name, Line> = {
  name: { label: 'name', need: true, autocomplete: 'name', size: 'middle', max: 120 },
  name_kana: { label: 'name_kana', hint: 'kana_hint', need: true, size: 'middle', max: 200 },
  former_name: { label: 'former_name', size: 'middle', max: 120 },
  former_name_kana: { label: 'former_name_kana', hint: 'kana_hint', size: 'middle', max: 200 },
  birth_on: { label: 'birth_on', hint: 'birth_hint', need: true, autocomplete: 'bday', size: 'short', max: 20 },
  workplace_name: { label: 'workplace_name', autocomplete: 'organization', max: 200 },
  workplace_postcode: { label: 'workplace_postcode', hint: 'postcode_hint', autocomplete: 'postal-code', size: 'short', max: 12 },
  workplace_address: { label: 'workplace_address', autocomplete: 'street-address', max: 300 },
  residence_municipality: { label: 'residence_municipality', size: 'middle', max: 100 },
  phone: { label: 'phone_no', hint: 'phone_hint', autocomplete: 'tel', size: 'middle', type: 'tel', max: 30 },
};

export function ProfileFields({ form }: { form: ProfileForm }) {
  const { values, errors, set } = form;
  const text = (id: Name) => {
    const { label, hint, ...rest } = LINES[id];
    return (
      <TextField
        key={id}
        id={id}
        label={t(label)}
        hint={hint && t(hint)}
        value={values[id]}
        error={errors[id]}
        onValue={(value) => set(id, value)}
        {...rest}
      />
    );
  };
  return (
    <>
      {(['name', 'name_kana', 'former_name', 'former_name_kana', 'birth_on'] as const).map(text)}
      <ChoiceField
        id="sex"
        legend={t('sex')}
        value={values.sex}
        error={errors['sex']}
        options={[
          ['M', t('sex_m')],
          ['F', t('sex_f')],
          ['', t('sex_none')],
        ]}
        onValue={(value) => set('sex', value as typeof values.sex)}
      />
      {(['workplace_name', 'workplace_postcode', 'workplace_address'] as const).map(text)}
      {!values.workplace_name.trim() && (
        <>
          <SelectField
            id="residence_prefecture"
            label={t('residence_prefecture')}
            hint={t('residence_hint')}
            value={values.residence_prefecture}
            error={errors['residence_prefecture']}
            options={[['', ''], ...prefectures()]}
            onValue={(value) => set('residence_prefecture', value as typeof values.residence_prefecture)}
          />
          {text('residence_municipality')}
        </>
      )}
      {text('phone')}
    </>
  );
}
