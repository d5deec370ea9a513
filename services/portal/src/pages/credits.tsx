// A doctor's credits: sums by programme, kind and year, the list, filters kept in the address, the
// transcript; new credits appear by themselves.
import { useRef, useState } from 'preact/hooks';
import { address, call } from '../api/client';
import { useNews } from '../api/news';
import type { Ask } from '../api/types';
import { Announce, Button, LinkButton, PageTitle, Tag } from '../parts/basics';
import { CreditList, type Credit, type Credits } from '../parts/credit_list';
import { PROGRAMMES } from '../parts/credit_sums';
import { SelectField, TextField } from '../parts/fields';
import { LinkingNotice, useLinking } from '../parts/linking';
import { usePages } from '../parts/load';
import type { Column } from '../parts/table';
import { here, setQuery } from '../router';
import { dateText, unitText, yearDays, yearText } from '../text/format';
import { lang } from '../text/lang';
import { t, tOf } from '../text/messages';

type Query = NonNullable<Ask<'/api/v1/me/credits', 'get'>['query']>;

const NAMES = ['programme', 'kind', 'from', 'to', 'status', 'q'] as const;
type Filter = Record<(typeof NAMES)[number], string>;

const PAGE_ITEMS = 50;
const PAGE_ITEMS_MAX = 500;
/** Seminars before it are in the handbook (R-SEM-02). */
const FIRST_YEAR = 2025;

function filterHere(): Filter {
  const { query } = here();
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ''])) as Filter;
}

export function CreditsPage() {
  const filter = filterHere();
  const shown = useRef(0);
  const [news, setNews] = useState('');
  const linking = useLinking();
  const pages = usePages<Credit, Credits>(
    (cursor, signal) => {
      // Read again, the list stays as long as it was.
      const limit = cursor ? PAGE_ITEMS : Math.min(Math.max(PAGE_ITEMS, shown.current), PAGE_ITEMS_MAX);
      return call('get', '/api/v1/me/credits', { query: { ...filter, cursor, limit } as Query, signal });
    },
    Object.values(filter),
  );
  shown.current = pages.items.length;
  const choices = useChoices(pages.data);
  useNews('credits', (first) => {
    pages.reload();
    if (!first) setNews(t('credits_news'));
  });
  return (
    <div class="stack wide">
      <div class="stack tight read">
        <PageTitle>{t('credits_title')}</PageTitle>
        <p>{t('credits_lead')}</p>
      </div>
      <LinkingNotice />
      <FilterForm key={location.search} filter={filter} choices={choices} />
      <Announce text={news} />
      <CreditList pages={pages} columns={columns()} />
      {!linking && <Transcript filter={filter} />}
    </div>
  );
}

/** What can be chosen: kinds and years that were seen since the page was opened. */
interface Choices {
  kinds: Map<string, Pick<Credit, 'kind' | 'kind_name' | 'programme'>>;
  newest: number;
}

function useChoices(seen: Credits | undefined): Choices {
  const known = useRef<Choices>({ kinds: new Map(), newest: FIRST_YEAR }).current;
  for (const { kind, kind_name, programme } of [...(seen?.totals ?? []), ...(seen?.items ?? [])])
    known.kinds.set(kind, { kind, kind_name: kind_name ?? kind, programme });
  known.newest = Math.max(known.newest, ...(seen?.totals_by_year ?? []).map((item) => item.fiscal_year));
  return known;
}

function FilterForm({ filter, choices }: { filter: Filter; choices: Choices }) {
  const [values, setValues] = useState(filter);
  const { kinds } = choices;
  const set = (name: keyof Filter) => (value: string) => setValues({ ...values, [name]: value });
  const offered = [...kinds.values()].filter(
    ({ programme, kind }) => !values.programme || programme === values.programme || kind === values.kind,
  );
  const years = Array.from({ length: choices.newest - FIRST_YEAR + 1 }, (_, at) => choices.newest - at);
  const year = years.find((each) => {
    const [from, to] = yearDays(each);
    return values.from === from && values.to === to;
  });
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
      <TextField id="q" type="search" max={100} label={t('credits_words')} value={values.q} onValue={set('q')} />
      <SelectField
        id="programme"
        label={t('programme')}
        value={values.programme}
        options={[['', t('all')], ...PROGRAMMES.map((code): [string, string] => [code, tOf('programme', code)])]}
        onValue={(programme) => setValues({ ...values, programme, kind: '' })}
      />
      <SelectField
        id="kind"
        label={t('kind')}
        value={values.kind}
        options={[
          ['', t('all')],
          ...offered.map(({ kind, kind_name }): [string, string] => [kind, kind_name]),
          ...(values.kind && !kinds.has(values.kind) ? [[values.kind, values.kind] as [string, string]] : []),
        ]}
        onValue={set('kind')}
      />
      <SelectField
        id="year"
        label={t('fiscal_year')}
        value={year === undefined ? '' : String(year)}
        options={[
          ['', values.from || values.to ? t('credits_days') : t('all')],
          ...years.map((each): [string, string] => [String(each), yearText(each)]),
        ]}
        onValue={(chosen) => {
          const [from, to] = chosen ? yearDays(Number(chosen)) : ['', ''];
          setValues({ ...values, from, to });
        }}
      />
      <TextField id="from" type="date" size="short" label={t('credits_from')} value={values.from} onValue={set('from')} />
      <TextField id="to" type="date" size="short" label={t('credits_to')} value={values.to} onValue={set('to')} />
      <SelectField
        id="status"
        label={t('status')}
        value={values.status}
        options={[
          ['', t('all')],
          ['posted', t('credit_posted')],
          ['cancelled', t('credit_cancelled')],
        ]}
        onValue={set('status')}
      />
      <Button submit look="main">
        {t('search')}
      </Button>
      {NAMES.some((name) => filter[name]) && (
        <Button look="text" onClick={() => setQuery(Object.fromEntries(NAMES.map((name) => [name, ''])))}>
          {t('credits_clear')}
        </Button>
      )}
    </form>
  );
}

/** Of the programme and the days that are chosen. */
function Transcript({ filter }: { filter: Filter }) {
  const { programme, from, to } = filter;
  const href = (kind: 'pdf' | 'csv') => address(`/api/v1/me/credits/transcript.${kind}`, {}, { programme, from, to, lang: lang() });
  return (
    <section class="stack noprint" aria-labelledby="transcript">
      <h2 id="transcript">{t('transcript_title')}</h2>
      <p class="read">{t('transcript_lead')}</p>
      <p>
        {programme ? tOf('programme', programme) : t('transcript_all')}
        {t('comma')}
        {from || to ? `${dateText(from)} ～ ${dateText(to)}` : t('transcript_always')}
      </p>
      <div class="row">
        <LinkButton look="main" href={href('pdf')} download>
          {t('transcript_pdf')}
        </LinkButton>
        <LinkButton href={href('csv')} download>
          {t('transcript_csv')}
        </LinkButton>
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
