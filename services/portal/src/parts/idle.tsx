// Warns before a session ends for lack of activity, and lets it go on (WCAG 2.2.1).
import { useEffect, useState } from 'preact/hooks';
import { lastAnswer } from '../api/client';
import { refresh } from '../session';
import { t } from '../text/messages';
import { Button } from './basics';
import { Dialog } from './dialog';

const DOCTOR_IDLE_MINUTES = 30;
const STAFF_IDLE_MINUTES = 15;
const WARN_MINUTES = 3;
const LOOK_EVERY_MS = 10_000;

export function IdleWarning({ role }: { role: string }) {
  const idle = role === 'doctor' ? DOCTOR_IDLE_MINUTES : STAFF_IDLE_MINUTES;
  const [minutes, setMinutes] = useState<number>();
  useEffect(() => {
    const timer = setInterval(() => {
      const left = idle - (Date.now() - lastAnswer()) / 60_000;
      // After the end nothing is asked: the next request shows the form to sign in again.
      setMinutes(left > 0 && left <= WARN_MINUTES ? Math.ceil(left) : undefined);
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [idle]);
  if (minutes === undefined) return null;
  const stay = () => {
    setMinutes(undefined);
    refresh().catch(() => undefined); // if it ended after all, the next request says so
  };
  return (
    <Dialog title={t('ends_soon')} onClose={stay}>
      <p role="status">{t('ends_soon_detail', { n: minutes })}</p>
      <div>
        <Button look="main" onClick={stay}>
          {t('stay')}
        </Button>
      </div>
    </Dialog>
  );
}
