// Leads on to another address, which takes the place of this one.
import { useEffect } from 'preact/hooks';
import { go } from '../router';
import { t } from '../text/messages';

export function GoTo({ path }: { path: string }) {
  useEffect(() => go(path, { replace: true, quiet: true }), [path]);
  return <p class="soft">{t('loading')}</p>;
}
