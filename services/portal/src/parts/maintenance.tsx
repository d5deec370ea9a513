// Maintenance: what everybody is told on the sign-in page, and the page while it runs.
import { useEffect } from 'preact/hooks';
import type { ApiError } from '../api/problem';
import { useSite } from '../site';
import { timeText } from '../text/format';
import { t } from '../text/messages';
import { Button, Notice, PageTitle } from './basics';

const ASK_AGAIN_MAX_MS = 60_000;

export function MaintenanceNotices() {
  const site = useSite();
  return (
    <>
      {site?.maintenance.map((one) => (
        <Notice key={one.starts_at} tone={one.running ? 'warn' : 'info'} title={t(one.running ? 'maintenance_now' : 'maintenance_soon')}>
          <p class="strong">{t('maintenance_time', { from: timeText(one.starts_at), to: timeText(one.ends_at) })}</p>
          <p>{one.note}</p>
          <p>{t(one.running ? 'maintenance_now_detail' : 'maintenance_soon_detail')}</p>
        </Notice>
      ))}
    </>
  );
}

/** Comes back by itself: at the end, and sometimes before, since it may end earlier. */
export function MaintenanceNow({ error, again }: { error: ApiError; again: () => void }) {
  useEffect(() => {
    const timer = setTimeout(again, Math.min(Math.max(error.retryAfter, 1) * 1000, ASK_AGAIN_MAX_MS));
    return () => clearTimeout(timer);
  }, [error]);
  return (
    <div class="stack read">
      <PageTitle>{error.problem.title}</PageTitle>
      <Notice tone="warn" alert>
        <p>{error.problem.detail}</p>
        <p>{t('maintenance_comes_back')}</p>
      </Notice>
      <div>
        <Button onClick={again}>{t('try_again')}</Button>
      </div>
    </div>
  );
}
