// Certification data is linked up to a month after late registration; until then there is little
// to see, and the pages say why.
import { call } from '../api/client';
import { useLoad } from './load';
import { useSession } from '../session';
import { dateText } from '../text/format';
import { t } from '../text/messages';
import { Notice } from './basics';

export const useLinking = (): boolean => useSession().me?.doctor?.status === 'link_pending';

export function LinkingNotice() {
  return useLinking() ? <Linking /> : null;
}

function Linking() {
  const due = useLoad((signal) => call('get', '/api/v1/me/profile', { signal }), []).data?.link_due_on;
  return (
    <Notice tone="info" title={t('link_pending')}>
      <p>{t('link_pending_detail')}</p>
      {due && <p>{t('link_pending_due', { date: dateText(due) })}</p>}
    </Notice>
  );
}
