// The second step of signing in: a code, or, where the account must have one, registering an app.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import { signForAccount } from '../api/passkey';
import { errorOf } from '../api/problem';
import { Button, PageTitle } from '../parts/basics';
import { SendButton } from '../parts/fields';
import { FormBox, type Errors } from '../parts/form';
import { PasskeyButton } from '../parts/passkey_button';
import { LoadBox, useLoad } from '../parts/load';
import { CodeField, RecoveryCodes, TotpStart, useCodeForm } from '../parts/totp';
import { go, here, safePath } from '../router';
import { follow, forget, refresh, signOut } from '../session';
import { ts } from '../text/security';

const read = (signal: AbortSignal) => call('get', '/api/v1/me/second-factor', { signal });

/** Where the sign-in led: the page asked for, or the one that stands in the address. */
function goOn(): void {
  const { path, query } = here();
  go(path === '/login' ? safePath(query.get('to')) : path, { replace: true });
}

/** The session is whole from here on; until now its page stayed, for the recovery codes. */
async function enrolled(): Promise<void> {
  await refresh();
  goOn();
}

export function SecondStepPage() {
  const loaded = useLoad(read, []);
  const [codes, setCodes] = useState<string[]>();
  return (
    <div class="stack wide read">
      <PageTitle>{ts('step_title')}</PageTitle>
      {codes ? (
        <RecoveryCodes codes={codes} kept={() => void enrolled()} />
      ) : (
        <LoadBox from={loaded}>
          {(factor) =>
            factor.totp_since || factor.passkeys.length > 0 ? (
              <SecondStepForm done={goOn} back={() => void signOut()} />
            ) : (
              <>
                <p>{ts('step_enrol_lead')}</p>
                <TotpStart done={(first) => (first.length > 0 ? setCodes(first) : void enrolled())} />
              </>
            )
          }
        </LoadBox>
      )}
    </div>
  );
}

interface StepProps {
  prefix?: string;
  done?: () => void;
  /** Back to login ID and password. */
  back: () => void;
}

/** Also in the dialog over a page whose session ended. */
export function SecondStepForm({ prefix = '', done, back }: StepProps) {
  const form = useCodeForm();
  const errors: Errors = {};
  for (const [field, text] of Object.entries(form.errors)) errors[prefix + field] = text;
  const passkey = async () => {
    const proof = await signForAccount();
    await follow(await call('post', '/api/v1/session/second-factor/passkey', { body: proof }));
    done?.();
  };
  return (
    <>
      <FormBox
        form={{ ...form, errors }}
        send={async ({ code }) => {
          try {
            await follow(await call('post', '/api/v1/session/second-factor', { body: { code: code.trim() } }));
            done?.();
          } catch (cause) {
            form.set('code', '');
            if (errorOf(cause).problem.status !== 401) throw cause;
            if (!prefix) forget(); // too late: from the beginning
            back();
          }
        }}
      >
        <p>{ts('step_lead')}</p>
        <CodeField
          id={`${prefix}code`}
          value={form.values.code}
          error={form.errors['code']}
          onValue={(value) => form.set('code', value)}
        />
        <div class="row">
          <SendButton busy={form.busy}>{ts('step_send')}</SendButton>
          <Button look="text" onClick={back}>
            {ts('step_back')}
          </Button>
        </div>
      </FormBox>
      <PasskeyButton use={passkey}>{ts('step_passkey')}</PasskeyButton>
    </>
  );
}
