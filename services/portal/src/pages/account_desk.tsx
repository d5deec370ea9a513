// The call centre's desk: an account by its number alone, and what helps its owner in.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { Button, Facts, Notice, PageTitle } from '../parts/basics';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { ReasonDialog } from '../parts/reason_dialog';
import { td } from '../text/desk';
import { t } from '../text/messages';

type Found = Answer<'/api/v1/desk/accounts', 'get'>['items'][number];

const ACTIONS = ['unlock', 'restore', 'reissue', 'resend', 'share_email'] as const;
type Action = (typeof ACTIONS)[number];

const find = async (number: string): Promise<Found[]> =>
  (await call('get', '/api/v1/desk/accounts', { query: { number } })).items;

/** What makes sense in this state; the server has the last word. */
function actionsOf(account: Found): Action[] {
  const first = Boolean(account.step);
  const closed = account.state === 'closed';
  const fits: Record<Action, boolean> = {
    unlock: !closed && account.wait_s > 0,
    restore: account.state === 'suspended' && !first,
    reissue: !closed && first && account.my_page === 'temp_issued',
    resend: !closed && account.state !== 'suspended' && Boolean(account.pending_email || account.email_confirmed),
    share_email: !closed && account.pending_shared === true,
  };
  return account.account_id ? ACTIONS.filter((action) => fits[action]) : [];
}

async function act(action: Action, account_id: string, reason: string): Promise<string> {
  const ask = { path: { account_id }, body: { reason } };
  switch (action) {
    case 'unlock':
      await command('post', '/api/v1/desk/accounts/{account_id}/unlock', ask);
      break;
    case 'restore':
      await command('post', '/api/v1/desk/accounts/{account_id}/restore', ask);
      break;
    case 'reissue':
      return td('reissue_done', await command('post', '/api/v1/desk/accounts/{account_id}/reissue', ask));
    case 'resend':
      await command('post', '/api/v1/desk/accounts/{account_id}/resend', ask);
      break;
    case 'share_email':
      await command('post', '/api/v1/desk/accounts/{account_id}/share-email', ask);
      break;
  }
  return td(`${action}_done`);
}

export function AccountDeskPage() {
  const [found, setFound] = useState<Found[]>();
  const [asked, setAsked] = useState<Action>();
  const [said, setSaid] = useState('');
  const form = useForm({ number: '' }, ({ number }) => (number.trim() ? {} : { number: td('number_must') }));
  const account = found?.[0];

  async function run(reason: string): Promise<void> {
    setSaid(await act(asked!, account!.account_id!, reason));
    setAsked(undefined);
    setFound(await find(account!.mamis_no ?? account!.register_no));
  }

  return (
    <div class="stack wide">
      <PageTitle>{td('desk_title')}</PageTitle>
      <p>{td('desk_lead')}</p>
      <FormBox
        form={form}
        send={async ({ number }) => {
          setSaid('');
          setFound(undefined);
          setFound(await find(number.trim()));
        }}
      >
        <TextField
          id="number"
          need
          size="middle"
          inputMode="numeric"
          label={td('number')}
          hint={td('number_hint')}
          max={30}
          value={form.values.number}
          error={form.errors['number']}
          onValue={(value) => form.set('number', value)}
        />
        <div>
          <SendButton busy={form.busy}>{td('find')}</SendButton>
        </div>
      </FormBox>
      {found && !account && (
        <p role="status" class="soft">
          {td('found_none')}
        </p>
      )}
      {said && (
        <Notice tone="good" alert>
          <p>{said}</p>
        </Notice>
      )}
      {account && <AccountCard account={account} ask={setAsked} />}
      {asked && (
        <ReasonDialog
          title={td(asked)}
          action={td(asked)}
          look={asked === 'reissue' ? 'danger' : 'main'}
          send={run}
          close={() => setAsked(undefined)}
        >
          <p>{td(`${asked}_lead`)}</p>
        </ReasonDialog>
      )}
    </div>
  );
}

function stateOf(account: Found): string {
  if (!account.account_id) return td('state_none');
  if (account.state === 'suspended') return td(account.step ? 'state_locked' : 'state_suspended');
  if (account.state === 'closed') return td('state_closed');
  if (account.step) return `${td('state_first')} (${t(`step_${account.step}` as 'step_terms')})`;
  return td(account.my_page === 'link_pending' ? 'state_link_pending' : 'state_active');
}

function AccountCard({ account, ask }: { account: Found; ask: (action: Action) => void }) {
  return (
    <section class="card stack" aria-labelledby="found">
      <h2 id="found">{account.name}</h2>
      <Facts
        rows={[
          [t('mamis_no'), account.mamis_no],
          [t('register_no'), account.register_no],
          [td('state'), stateOf(account)],
          [t('email'), account.email],
          [td('pending_email'), account.pending_email],
          [td('postcard'), account.postcard && td(`postcard_${account.postcard}`)],
          [td('wait'), account.wait_s > 0 && td('wait_s', { n: account.wait_s })],
        ]}
      />
      {account.pending_shared && (
        <Notice tone="warn">
          <p>{td('pending_shared')}</p>
        </Notice>
      )}
      <div class="row">
        {actionsOf(account).map((action) => (
          <Button key={action} onClick={() => ask(action)}>
            {td(action)}
          </Button>
        ))}
      </div>
    </section>
  );
}
