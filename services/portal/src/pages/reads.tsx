// Who looked at whom, for those who watch over it.
import { call } from '../api/client';
import type { Answer } from '../api/types';
import { PageTitle } from '../parts/basics';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { LoadBox, ListFoot, usePages } from '../parts/load';
import { readerText, readText } from '../parts/read_text';
import { Table, type Column } from '../parts/table';
import { here, setQuery } from '../router';
import { dayOf } from '../text/days';
import { numberText, timeText } from '../text/format';
import { t } from '../text/messages';

type Reads = Answer<'/api/v1/reads', 'get'>;
type Read = Reads['items'][number];

function whom(read: Read): string {
  const more = read.persons - read.mamis_nos.length;
  return [
    ...(read.upload_id ? [t('read_upload')] : []),
    ...read.mamis_nos,
    ...(more > 0 ? [t('read_more', { n: numberText(more) })] : []),
  ].join(t('comma'));
}

const columns = (): Column<Read>[] => [
  { id: 'at', label: t('read_at'), head: true, kind: 'date', cell: (read) => timeText(read.at) },
  { id: 'who', label: t('read_who'), cell: (read) => [read.account_name, readerText(read)].filter(Boolean).join(' ') },
  { id: 'what', label: t('read_what'), cell: (read) => readText(read.action) },
  { id: 'whom', label: t('read_whom'), cell: whom },
  { id: 'reason', label: t('read_reason'), cell: (read) => read.reason },
];

const FILTERS = ['from', 'to', 'mamis_no'] as const;
type Filter = Record<(typeof FILTERS)[number], string>;

const asked = (): Filter => {
  const { query } = here();
  return { from: query.get('from') ?? '', to: query.get('to') ?? '', mamis_no: query.get('mamis_no') ?? '' };
};

export function ReadsPage() {
  const filter = asked();
  const form = useForm(filter, (values) => ({
    from: values.from && !dayOf(values.from) ? t('day_wrong') : undefined,
    to: values.to && !dayOf(values.to) ? t('day_wrong') : undefined,
    mamis_no: values.mamis_no && !/^\d{10}$/.test(values.mamis_no.normalize('NFKC').trim()) ? t('member_number_wrong') : undefined,
  }));
  const pages = usePages<Read, Reads>(
    (cursor, signal) =>
      call('get', '/api/v1/reads', { query: { ...filter, ...(cursor ? { cursor } : {}), limit: 50 }, signal }),
    FILTERS.map((name) => filter[name]),
  );
  return (
    <div class="stack wide">
      <PageTitle>{t('reads_title')}</PageTitle>
      <FormBox
        form={form}
        label={t('reads_search')}
        send={async (values) =>
          setQuery({
            from: values.from ? (dayOf(values.from) ?? '') : '',
            to: values.to ? (dayOf(values.to) ?? '') : '',
            mamis_no: values.mamis_no.normalize('NFKC').trim(),
          })
        }
      >
        <div class="row">
          <TextField
            id="from"
            label={t('reads_from')}
            hint={t('read_day_hint')}
            size="short"
            value={form.values.from}
            error={form.errors['from']}
            onValue={(value) => form.set('from', value)}
          />
          <TextField
            id="to"
            label={t('reads_to')}
            hint={t('read_day_hint')}
            size="short"
            value={form.values.to}
            error={form.errors['to']}
            onValue={(value) => form.set('to', value)}
          />
          <TextField
            id="mamis_no"
            label={t('mamis_no')}
            size="short"
            inputMode="numeric"
            value={form.values.mamis_no}
            error={form.errors['mamis_no']}
            onValue={(value) => form.set('mamis_no', value)}
          />
        </div>
        <div>
          <SendButton look="side" busy={form.busy}>
            {t('reads_search')}
          </SendButton>
        </div>
      </FormBox>
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={t('reads_title')}
              hideCaption
              columns={columns()}
              rows={pages.items}
              keyOf={(read) => read.request_id + read.operation}
              empty={t('reads_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}
