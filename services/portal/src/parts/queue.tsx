// One's place while many sign in. Seen at every change, said only when the minutes change.
import type { Place } from '../api/turn';
import { t } from '../text/messages';
import { Notice } from './basics';

const inMinutes = (seconds: number): string => {
  const minutes = Math.ceil(seconds / 60);
  return minutes > 1 ? t('queue_minutes', { n: minutes }) : t('queue_soon');
};

export function QueueNotice({ place }: { place: Place }) {
  return (
    <Notice tone="info" title={t('queue_title')}>
      <p class="strong num">{t('queue_place', { n: place.place })}</p>
      <p role="status">{inMinutes(place.wait_s)}</p>
      <p>{t('queue_keep')}</p>
    </Notice>
  );
}
