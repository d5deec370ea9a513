// Registering an authenticator app, and the recovery codes that come with it.
import { useState } from 'preact/hooks';
import { call, setCsrfToken } from '../api/client';
import type { Answer } from '../api/types';
import { ts } from '../text/security';
import { Button, Notice } from './basics';
import { SendButton, TextField } from './fields';
import { FormBox, useForm } from './form';

type Secret = Answer<'/api/v1/me/second-factor/totp', 'post'>;
const QUIET = 4; // squares that stay empty around a QR code

/** One path of unit squares: the content policy allows no image that a script makes. */
function QrCode({ rows, label }: { rows: string[]; label: string }) {
  const side = rows.length + 2 * QUIET;
  let path = '';
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) if (row[x] === '1') path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
  });
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

const checkCode = ({ code }: { code: string }) => (code.trim() ? {} : { code: ts('code_must') });

/** A field for a code, by which telephones offer what came by message or app. */
export function CodeField(props: { id: string; value: string; error: string | undefined; onValue: (value: string) => void; hint?: string }) {
  return (
    <TextField
      id={props.id}
      label={ts('code')}
      hint={props.hint ?? ts('code_hint')}
      size="short"
      autocomplete="one-time-code"
      max={40}
      value={props.value}
      error={props.error}
      onValue={props.onValue}
    />
  );
}

export const useCodeForm = () => useForm({ code: '' }, checkCode);

/** `done` gets the recovery codes, if these are the first. */
export function TotpEnrol({ secret, done }: { secret: Secret; done: (codes: string[]) => void }) {
  const form = useCodeForm();
  return (
    <FormBox
      form={form}
      label={ts('app_add')}
      send={async ({ code }) => {
        const added = await call('post', '/api/v1/me/second-factor/totp/confirmation', { body: { code: code.trim() } });
        setCsrfToken(added.csrf_token);
        done(added.recovery_codes);
      }}
    >
      <p>{ts('enrol_1')}</p>
      <QrCode rows={secret.qr} label={ts('enrol_qr')} />
      <p>
        {ts('enrol_key')}
        <br />
        <span class="code">{secret.secret.replace(/(.{4})(?=.)/g, '$1 ')}</span>
      </p>
      <p>{ts('enrol_2')}</p>
      <CodeField
        id="code"
        hint=""
        value={form.values.code}
        error={form.errors['code']}
        onValue={(value) => form.set('code', value)}
      />
      <div>
        <SendButton busy={form.busy}>{ts('enrol_send')}</SendButton>
      </div>
    </FormBox>
  );
}

/** Begins by itself. */
export function TotpStart({ done }: { done: (codes: string[]) => void }) {
  const [secret, setSecret] = useState<Secret>();
  const form = useForm({});
  if (secret) return <TotpEnrol secret={secret} done={done} />;
  return (
    <FormBox form={form} send={async () => setSecret(await call('post', '/api/v1/me/second-factor/totp', {}))}>
      <div>
        <SendButton busy={form.busy}>{ts('app_add')}</SendButton>
      </div>
    </FormBox>
  );
}

export function RecoveryCodes({ codes, kept }: { codes: string[]; kept: () => void }) {
  return (
    <Notice tone="warn" title={ts('codes_title')} alert>
      <p>{ts('codes_lead')}</p>
      <ol class="recovery code">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div class="row noprint">
        <Button onClick={() => print()}>{ts('codes_print')}</Button>
        <Button look="main" onClick={kept}>
          {ts('codes_kept')}
        </Button>
      </div>
    </Notice>
  );
}
