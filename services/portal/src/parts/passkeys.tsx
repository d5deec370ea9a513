// One's own passkeys: the list, registering one, removing one.
import { useState } from 'preact/hooks';
import { setCsrfToken } from '../api/client';
import { addPasskey, gaveUp, isThere, passkeysWork } from '../api/passkey';
import type { Answer } from '../api/types';
import { dateText, timeText } from '../text/format';
import { ts } from '../text/security';
import { Button } from './basics';
import { SendButton, TextField } from './fields';
import { FormBox, useForm } from './form';

type Passkey = Answer<'/api/v1/me/second-factor', 'get'>['passkeys'][number];

interface ListProps {
  passkeys: Passkey[];
  busy: boolean;
  remove: (passkey: Passkey) => void;
}

export function PasskeyList({ passkeys, busy, remove }: ListProps) {
  if (passkeys.length === 0) return <p class="soft">{ts('passkeys_none')}</p>;
  return (
    <ul class="sessions">
      {passkeys.map((passkey) => (
        <li class="row between" key={passkey.passkey_id}>
          <div>
            <strong>{passkey.label}</strong>
            <br />
            <span class="soft">
              {ts('passkey_since', { date: dateText(passkey.created_at) })}
              <br />
              {passkey.used_at ? ts('passkey_used', { time: timeText(passkey.used_at) }) : ts('passkey_unused')}
            </span>
          </div>
          <Button busy={busy} label={ts('passkey_remove_of', { label: passkey.label })} onClick={() => remove(passkey)}>
            {ts('passkey_remove')}
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** `done` gets the recovery codes, if this is the first second factor. */
export function PasskeyAdd({ done }: { done: (codes: string[]) => void }) {
  const [open, setOpen] = useState(false);
  const [there, setThere] = useState(false);
  const form = useForm({ label: '' }, ({ label }) => (label.trim() ? {} : { label: ts('passkey_label_must') }));
  if (!passkeysWork()) return <p class="soft">{ts('passkeys_never')}</p>;
  if (!open)
    return (
      <div>
        <Button onClick={() => setOpen(true)}>{ts('passkey_add')}</Button>
      </div>
    );
  return (
    <FormBox
      form={form}
      label={ts('passkey_add')}
      send={async ({ label }) => {
        setThere(false);
        try {
          const added = await addPasskey(label.trim());
          setCsrfToken(added.csrf_token);
          form.reset({ label: '' });
          setOpen(false);
          done(added.recovery_codes);
        } catch (cause) {
          if (isThere(cause)) setThere(true);
          else if (!gaveUp(cause)) throw cause;
        }
      }}
    >
      {there && <p role="status">{ts('passkey_there')}</p>}
      <TextField
        id="label"
        label={ts('passkey_label')}
        hint={ts('passkey_label_hint')}
        size="middle"
        max={60}
        value={form.values.label}
        error={form.errors['label']}
        onValue={(value) => form.set('label', value)}
      />
      <div>
        <SendButton busy={form.busy}>{ts('passkey_make')}</SendButton>
      </div>
    </FormBox>
  );
}
