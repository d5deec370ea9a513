// Doctors who wait for their certification data, the longest first; the national office links it.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { may } from '../gen/access';
import { Button, Notice, PageTitle, Tag } from '../parts/basics';
import { CheckField } from '../parts/fields';
import { LoadBox, ListFoot, usePages } from '../parts/load';
import { ReasonDialog } from '../parts/reason_dialog';
import { Table, type Column } from '../parts/table';
import { here, setQuery } from '../router';
import { session } from '../session';
import { td } from '../text/desk';
import { dateText } from '../text/format';
import { t } from '../text/messages';

type Pending = Answer<'/api/v1/desk/link-pending', 'get'>;
type Item = Pending['items'][number];

export function LinksPage() {
  const late = here().query.get('late') === '1';
  const [asked, setAsked] = useState<Item>();
  const [gone, setGone] = useState<string[]>([]);
  const [said, setSaid] = useState('');
  const pages = usePages<Item, Pending>(
    (cursor, signal) =>
      call('get', '/api/v1/desk/link-pending', { query: { late, ...(cursor ? { cursor } : {}), limit: 50 }, signal }),
    [late],
  );
  const mayLink = may(session()?.account.role ?? '', 'account_link');

  async function link(item: Item, reason: string): Promise<void> {
    await command('post', '/api/v1/desk/accounts/{account_id}/link', {
      path: { account_id: item.account_id },
      body: { reason },
    });
    setGone((old) => [...old, item.account_id]);
    setSaid(td('linked', { name: item.name }));
    setAsked(undefined);
  }

  return (
    <div class="stack wide">
      <PageTitle>{td('links_title')}</PageTitle>
      <p>{td('links_lead')}</p>
      <CheckField
        id="late"
        label={td('links_late_only')}
        value={late}
        onValue={(value) => setQuery({ late: value ? '1' : '' })}
      />
      {said && (
        <Notice tone="good" alert>
          <p>{said}</p>
        </Notice>
      )}
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={td('links_list')}
              columns={columnsOf(mayLink ? setAsked : undefined)}
              rows={pages.items.filter((item) => !gone.includes(item.account_id))}
              keyOf={(item) => item.account_id}
              empty={td('links_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
      {asked && (
        <ReasonDialog
          title={td('link_of', { name: asked.name })}
          action={td('link')}
          send={(reason) => link(asked, reason)}
          close={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

function columnsOf(ask: ((item: Item) => void) | undefined): Column<Item>[] {
  const columns: Column<Item>[] = [
    {
      id: 'due_on',
      label: td('due_on'),
      kind: 'date',
      cell: (item) => (
        <>
          {dateText(item.due_on)} {item.late && <Tag tone="warn">{td('late')}</Tag>}
        </>
      ),
    },
    { id: 'name', label: t('name'), head: true, cell: (item) => item.name },
    { id: 'name_kana', label: t('name_kana'), cell: (item) => item.name_kana },
    { id: 'register_no', label: t('register_no'), kind: 'tight', cell: (item) => item.register_no },
    { id: 'mamis_no', label: t('mamis_no'), kind: 'tight', cell: (item) => item.mamis_no },
    { id: 'my_page_at', label: td('my_page_at'), kind: 'date', cell: (item) => dateText(item.my_page_at?.slice(0, 10)) },
    {
      id: 'has_data',
      label: td('has_data'),
      kind: 'tight',
      cell: (item) => td(item.has_data ? 'has_data_yes' : 'has_data_no'),
    },
  ];
  if (ask)
    columns.push({
      id: 'link',
      label: td('action'),
      wide: true,
      cell: (item) => (
        <Button label={td('link_of', { name: item.name })} onClick={() => ask(item)}>
          {td('link')}
        </Button>
      ),
    });
  return columns;
}
