// A doctor's credits: totals by programme and kind, the list, and filters kept in the address.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import type { Answer, Ask } from '../api/types';
import { Button, PageTitle, Tag } from '../parts/basics';
import { SelectField, TextField } from '../parts/fields';
import { LinkingNotice } from '../parts/linking';
import { LoadBox, ListFoot, usePages } from '../parts/load';
import { Table, type Column } from '../parts/table';
import { here, setQuery } from '../router';
import { dateText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';

type Credits = Answer<'/api/v1/me/credits', 'get'>;
type Credit = Credits['items'][number];
type Total = Credits['totals'][number];
type Query = NonNullable<Ask<'/api/v1/me/credits', 'get'>['query']>;

const PROGRAMMES = ['OP', 'SP', 'CME', 'KK', 'KHR', 'CSL'];

export function CreditsPage() {
  const { query } = here();
  const filter = {
    programme: query.get('programme') ?? '',
    from: query.get('from') ?? '',
    to: query.get('to') ?? '',
  };
  const pages = usePages<Credit, Credits>(
    (cursor, signal) =>
      call('get', '/api/v1/me/credits', { query: { ...filter, cursor, limit: 50 } as Query, signal }),
    [filter.programme, filter.from, filter.to],
  );
  return (
    <div class="stack wide">
      <div class="stack tight read">
        <PageTitle>{t('credits_title')}</PageTitle>
        <p>{t('credits_lead')}</p>
      </div>
      <LinkingNotice />
      <Filter key={location.search} filter={filter} />
      <LoadBox from={pages}>
        {({ totals }) => (
          <>
            <Totals totals={totals} />
            <section class="stack" aria-labelledby="list">
              <h2 id="list">{t('credits_list')}</h2>
              <Table
                caption={t('credits_list')}
                hideCaption
                columns={columns()}
                rows={pages.items}
                keyOf={(credit) => credit.entry_id}
                off={(credit) => credit.status === 'cancelled'}
                empty={t('credits_empty')}
              />
              <ListFoot pages={pages} />
            </section>
          </>
        )}
      </LoadBox>
    </div>
  );
}

function Filter({ filter }: { filter: { programme: string; from: string; to: string } }) {
  const [values, setValues] = useState(filter);
  const set = (name: keyof typeof values) => (value: string) => setValues({ ...values, [name]: value });
  return (
    <form
      class="search noprint"
      role="search"
      aria-label={t('credits_filter')}
      onSubmit={(event) => {
        event.preventDefault();
        setQuery(values);
      }}
    >
      <SelectField
        id="programme"
        label={t('programme')}
        value={values.programme}
        options={[['', t('all')], ...PROGRAMMES.map((code): [string, string] => [code, tOf('programme', code)])]}
        onValue={set('programme')}
      />
      <TextField id="from" type="date" size="short" label={t('credits_from')} value={values.from} onValue={set('from')} />
      <TextField id="to" type="date" size="short" label={t('credits_to')} value={values.to} onValue={set('to')} />
      <Button submit>{t('search')}</Button>
    </form>
  );
}

function Totals({ totals }: { totals: Total[] }) {
  if (totals.length === 0) return null;
  const programmes = PROGRAMMES.filter((code) => totals.some((total) => total.programme === code));
  return (
    <section class="stack" aria-labelledby="totals">
      <h2 id="totals">{t('credits_totals')}</h2>
      <div class="cards">
        {programmes.map((programme) => {
          const kinds = totals.filter((total) => total.programme === programme);
          const sum = kinds.reduce((units, total) => units + total.half_units, 0);
          return (
            <div class="card stack tight" key={programme}>
              <div class="row between">
                <h3>{tOf('programme', programme)}</h3>
                <span class="strong num">{unitText(sum)}</span>
              </div>
              <ul class="lines tight">
                {kinds.map((total) => (
                  <li key={total.kind}>
                    <span>{total.kind_name ?? total.kind}</span>
                    <span class="num">{unitText(total.half_units)}</span>
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
      </div>
    </section>
  );
}

const columns = (): Column<Credit>[] => [
  { id: 'held_on', label: t('held_on'), kind: 'date', cell: (credit) => dateText(credit.held_on) },
  {
    id: 'seminar',
    label: t('seminar'),
    head: true,
    cell: (credit) => (
      <>
        {credit.seminar_title}
        <br />
        <span class="soft num">
          {credit.seminar_no} {t('session_n', { n: credit.session_no })} {credit.session_title ?? ''}
        </span>
      </>
    ),
  },
  { id: 'programme', label: t('programme'), cell: (credit) => tOf('programme', credit.programme) },
  { id: 'kind', label: t('kind'), cell: (credit) => credit.kind_name },
  { id: 'units', label: t('units'), kind: 'num', cell: (credit) => unitText(credit.half_units) },
  {
    id: 'status',
    label: t('status'),
    kind: 'tight',
    cell: (credit) => (
      <>
        <Tag tone={credit.status === 'posted' ? 'good' : 'plain'}>{tOf('credit', credit.status)}</Tag>{' '}
        <a class="noprint" href={`/me/credits/${credit.entry_id}`} aria-label={t('credit_history_of', { kind: credit.kind_name, seminar: credit.seminar_title })}>
          {t('credit_history_open')}
        </a>
      </>
    ),
  },
];
