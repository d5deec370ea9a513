// What a delegate sees: the doctors who named it, and the credits of one of them.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import { Button, Notice, PageTitle, Tag } from '../parts/basics';
import { CreditList, type Credit, type Credits } from '../parts/credit_list';
import { Dialog } from '../parts/dialog';
import { SendButton } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { LoadBox, useLoad, usePages } from '../parts/load';
import type { Column } from '../parts/table';
import { go } from '../router';
import { dateText, unitText } from '../text/format';
import { t, tOf } from '../text/messages';

const PAGE_ITEMS = 50;

const useDoctors = () => useLoad((signal) => call('get', '/api/v1/delegations', { signal }), []);

export function DelegationsPage() {
  const loaded = useDoctors();
  return (
    <div class="stack wide read">
      <div class="stack">
        <PageTitle>{t('delegations_title')}</PageTitle>
        <p>{t('delegations_lead')}</p>
      </div>
      {history.state === 'resigned' && (
        <Notice tone="good" alert>
          <p>{t('resigned')}</p>
        </Notice>
      )}
      <LoadBox from={loaded}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{t('delegations_none')}</p>
          ) : (
            <ul class="stack">
              {items.map((item) => (
                <li key={item.delegation_id}>
                  <a href={`/delegations/${item.delegation_id}`}>{t('delegation_of', { name: item.doctor_name })}</a>{' '}
                  <span class="soft num">{t('delegation_since', { date: dateText(item.since) })}</span>
                </li>
              ))}
            </ul>
          )
        }
      </LoadBox>
    </div>
  );
}

export function DelegationPage({ id }: { id: string }) {
  const doctors = useDoctors();
  const path = { delegation_id: id };
  const pages = usePages<Credit, Credits>(
    (cursor, signal) =>
      call('get', '/api/v1/delegations/{delegation_id}/credits', {
        path,
        query: cursor ? { cursor, limit: PAGE_ITEMS } : { limit: PAGE_ITEMS },
        signal,
      }),
    [id],
  );
  const name = doctors.data?.items.find((item) => item.delegation_id === id)?.doctor_name;
  return (
    <div class="stack wide">
      <div class="stack tight read">
        <PageTitle>{name ? t('delegation_of', { name }) : t('delegations_title')}</PageTitle>
        <p>
          <a href="/delegations">{t('delegation_back')}</a>
        </p>
      </div>
      {name && (
        <p>
          <a href={`/delegations/${id}/seminars`}>{t('delegation_seminars', { name })}</a>
        </p>
      )}
      {name && <Resign id={id} name={name} />}
      <CreditList pages={pages} columns={columns()} />
    </div>
  );
}

function Resign({ id, name }: { id: string; name: string }) {
  const [open, setOpen] = useState(false);
  const form = useForm({});
  const path = { delegation_id: id };
  return (
    <div>
      <Button look="danger" onClick={() => setOpen(true)}>
        {t('resign')}…
      </Button>
      {open && (
        <Dialog title={t('resign')} onClose={() => setOpen(false)}>
          <p>{t('resign_sure', { name })}</p>
          <FormBox
            form={form}
            send={async () => {
              await command('post', '/api/v1/delegations/{delegation_id}/resign', { path });
              go('/delegations', { state: 'resigned' });
            }}
          >
            <div class="row">
              <SendButton look="danger" busy={form.busy}>
                {t('resign')}
              </SendButton>
              <Button look="text" onClick={() => setOpen(false)}>
                {t('delegate_keep')}
              </Button>
            </div>
          </FormBox>
        </Dialog>
      )}
    </div>
  );
}

const columns = (): Column<Credit>[] => [
  { id: 'held_on', label: t('held_on'), kind: 'date', cell: (credit) => dateText(credit.held_on) },
  { id: 'seminar', label: t('seminar'), head: true, cell: (credit) => credit.seminar_title },
  { id: 'programme', label: t('programme'), cell: (credit) => tOf('programme', credit.programme) },
  { id: 'kind', label: t('kind'), cell: (credit) => credit.kind_name },
  { id: 'units', label: t('units'), kind: 'num', cell: (credit) => unitText(credit.half_units) },
  {
    id: 'status',
    label: t('status'),
    kind: 'tight',
    cell: (credit) => (
      <Tag tone={credit.status === 'posted' ? 'good' : 'plain'}>{tOf('credit', credit.status)}</Tag>
    ),
  },
];
