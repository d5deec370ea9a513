// Certification data is linked up to a month after late registration; until then there is little
// to see, and the pages say why.
import { useSession } from '../session';
import { t } from '../text/messages';
import { Notice } from './basics';

export const useLinking = (): boolean => useSession().me?.doctor?.status === 'link_pending';

export function LinkingNotice() {
  if (!useLinking()) return null;
  return (
    <Notice tone="info" title={t('link_pending')}>
      <p>{t('link_pending_detail')}</p>
    </Notice>
  );
}
