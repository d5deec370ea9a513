// A button that asks for a passkey; what goes wrong is said beside it.
import { useState } from 'preact/hooks';
import { gaveUp, passkeysWork } from '../api/passkey';
import { errorOf, type ApiError } from '../api/problem';
import { Button } from './basics';
import { ProblemNotice } from './load';

interface Props {
  children: string;
  look?: 'main' | 'side';
  use: () => Promise<void>;
}

/** Nothing where the browser has no passkeys. */
export function PasskeyButton({ children, look = 'side', use }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  if (!passkeysWork()) return null;
  async function press(): Promise<void> {
    setBusy(true);
    setError(undefined);
    try {
      await use();
    } catch (cause) {
      if (!gaveUp(cause)) setError(errorOf(cause));
    } finally {
      setBusy(false);
    }
  }
  return (
    <div class="stack tight">
      {error && <ProblemNotice error={error} />}
      <div>
        <Button look={look} busy={busy} onClick={() => void press()}>
          {children}
        </Button>
      </div>
    </div>
  );
}
