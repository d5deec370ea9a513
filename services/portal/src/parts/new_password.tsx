// Choosing a password: one field that can be shown, with help while typing. Length is the only
// rule here; the server also knows the list of common and leaked ones.
import { t } from '../text/messages';
import { Announce } from './basics';
import { PasswordField } from './fields';
import type { Errors, Form } from './form';

const LEAST = 13;

/** Counted as the server counts: code points after NFC. */
const lengthOf = (password: string): number => [...password.normalize('NFC')].length;

export function checkNewPassword({ password }: { password: string }): Errors {
  return lengthOf(password) < LEAST ? { password: t('password_short') } : {};
}

export function NewPasswordFields({ form }: { form: Form<{ password: string }> }) {
  const length = lengthOf(form.values.password);
  return (
    <div class="stack tight">
      <PasswordField
        id="password"
        label={t('new_password')}
        hint={t('new_password_hint')}
        autocomplete="new-password"
        value={form.values.password}
        error={form.errors['password']}
        onValue={(value) => form.set('password', value)}
      />
      <p class={length >= LEAST ? 'strong' : 'soft'}>
        {length === 0 ? '' : length < LEAST ? t('password_left', { n: LEAST - length }) : t('password_enough')}
      </p>
      <Announce text={length >= LEAST ? t('password_enough') : ''} />
    </div>
  );
}
