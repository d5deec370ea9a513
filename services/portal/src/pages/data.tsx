// All one's own data as a file, to read or for programs.
import { address } from '../api/client';
import { LinkButton, PageTitle } from '../parts/basics';
import { lang } from '../text/lang';
import { t } from '../text/messages';

export function DataPage() {
  return (
    <div class="stack read">
      <PageTitle>{t('data_title')}</PageTitle>
      <p>{t('data_lead')}</p>
      <p>{t('data_keep')}</p>
      <div class="row">
        <LinkButton look="main" href={address('/api/v1/me/export.html', {}, { lang: lang() })} download>
          {t('data_html')}
        </LinkButton>
        <LinkButton href="/api/v1/me/export.json" download>
          {t('data_json')}
        </LinkButton>
      </div>
    </div>
  );
}
