// All uploads one may see.
import { call } from '../api/client';
import type { Upload } from '../api/progress';
import type { Answer } from '../api/types';
import { PageTitle } from '../parts/basics';
import { LoadBox, ListFoot, usePages } from '../parts/load';
import { UploadsTable } from '../parts/uploads_table';
import { t } from '../text/messages';

type Uploads = Answer<'/api/v1/uploads', 'get'>;

export function UploadsPage() {
  const pages = usePages<Upload, Uploads>(
    (cursor, signal) => call('get', '/api/v1/uploads', { query: { cursor, limit: 50 }, signal }),
    [],
  );
  return (
    <div class="stack wide">
      <PageTitle>{t('uploads_title')}</PageTitle>
      <LoadBox from={pages}>
        {() => (
          <>
            <UploadsTable caption={t('uploads_title')} hideCaption seminar items={pages.items} />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}
