// Who of the associations and organisers looked at the doctor's data.
import { call } from '../api/client';
import type { Answer } from '../api/types';
import { PageTitle } from '../parts/basics';
import { LoadBox, ListFoot, usePages } from '../parts/load';
import { readerText, readText } from '../parts/read_text';
import { Table, type Column } from '../parts/table';
import { timeText } from '../text/format';
import { t } from '../text/messages';

type Reads = Answer<'/api/v1/me/reads', 'get'>;
type Read = Reads['items'][number];

const columns = (): Column<Read>[] => [
  { id: 'at', label: t('read_at'), head: true, kind: 'date', cell: (read) => timeText(read.at) },
  { id: 'who', label: t('read_who'), cell: readerText },
  { id: 'what', label: t('read_what'), cell: (read) => readText(read.action) },
];

export function MyReadsPage() {
  const pages = usePages<Read, Reads>(
    (cursor, signal) => call('get', '/api/v1/me/reads', { query: { ...(cursor ? { cursor } : {}), limit: 50 }, signal }),
    [],
  );
  return (
    <div class="stack wide">
      <PageTitle>{t('my_reads_title')}</PageTitle>
      <p>{t('my_reads_lead')}</p>
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={t('my_reads_title')}
              hideCaption
              columns={columns()}
              rows={pages.items}
              keyOf={(read) => pages.items.indexOf(read)}
              empty={t('my_reads_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}
