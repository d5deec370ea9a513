// Over a page that wants a sensitive change: the person proves again who they are, and the page
// goes on with what it was doing.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { signForAccount } from '../api/passkey';
import { Button } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { PasswordField, SendButton } from '../parts/fields';
import { FormBox, useForm, type Errors } from '../parts/form';
import { PasskeyButton } from '../parts/passkey_button';
import { CodeField } from '../parts/totp';
import { endProving, follow } from '../session';
import { t } from '../text/messages';
import { ts } from '../text/security';

const ID = 'prove-';

export function ProveAgain() {
  const [byCode, setByCode] = useState(false);
  return (
    <Dialog title={ts('prove_title')} onClose={() => endProving(false)}>
      {byCode ? <CodeForm /> : <PasswordForm />}
      <PasskeyButton use={byPasskey}>{ts('prove_by_passkey')}</PasskeyButton>
      <div class="row">
        <Button look="text" onClick={() => setByCode(!byCode)}>
          {ts(byCode ? 'prove_by_password' : 'prove_by_code')}
        </Button>
        <Button look="text" onClick={() => endProving(false)}>
          {ts('cancel')}
        </Button>
      </div>
    </Dialog>
  );
}

/** Errors at fields whose ids do not meet those of the page below. */
function prefixed(errors: Errors): Errors {
  return Object.fromEntries(Object.entries(errors).map(([field, text]) => [ID + field, text]));
}

async function prove(body: { password: string } | { code: string }): Promise<void> {
  await follow(await call('post', '/api/v1/me/reauthentication', { body }));
  endProving(true);
}

async function byPasskey(): Promise<void> {
  const proof = await signForAccount();
  await follow(await call('post', '/api/v1/me/reauthentication/passkey', { body: proof }));
  endProving(true);
}

function PasswordForm() {
  const form = useForm({ password: '' }, ({ password }) =>
    password ? {} : { password: t('must_fill', { field: ts('prove_password') }) },
  );
  return (
    <FormBox form={{ ...form, errors: prefixed(form.errors) }} send={({ password }) => prove({ password })}>
      <p>{ts('prove_lead')}</p>
      <PasswordField
        id={`${ID}password`}
        label={ts('prove_password')}
        autocomplete="current-password"
        value={form.values.password}
        error={form.errors['password']}
        onValue={(value) => form.set('password', value)}
      />
      <div>
        <SendButton busy={form.busy}>{ts('prove_send')}</SendButton>
      </div>
    </FormBox>
  );
}

function CodeForm() {
  const form = useForm({ code: '' }, ({ code }) => (code.trim() ? {} : { code: ts('code_must') }));
  return (
    <FormBox form={{ ...form, errors: prefixed(form.errors) }} send={({ code }) => prove({ code: code.trim() })}>
      <p>{ts('prove_lead_code')}</p>
      <CodeField
        id={`${ID}code`}
        value={form.values.code}
        error={form.errors['code']}
        onValue={(value) => form.set('code', value)}
      />
      <div>
        <SendButton busy={form.busy}>{ts('prove_send')}</SendButton>
      </div>
    </FormBox>
  );
}
