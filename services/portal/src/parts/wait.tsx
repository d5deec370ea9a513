// When a server says "later": how long still, counted down, so that nobody has to guess.
import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../api/problem';
import { t } from '../text/messages';

export function WaitNote({ error }: { error: ApiError }) {
  const [left, setLeft] = useState(Math.ceil(error.retryAfter));
  useEffect(() => {
    const until = Date.now() + error.retryAfter * 1000;
    setLeft(Math.ceil(error.retryAfter));
    const timer = setInterval(() => {
      const next = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      setLeft(next);
      if (next === 0) clearInterval(timer);
    }, 500);
    return () => clearInterval(timer);
  }, [error]);
  if (error.retryAfter <= 0) return null;
  // Said once at the beginning and once at the end, not every second.
  return left > 0 ? (
    <p class="strong num">{t('wait_seconds', { n: left })}</p>
  ) : (
    <p class="strong" role="status">
      {t('wait_over')}
    </p>
  );
}
