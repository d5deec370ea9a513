// Tokens of an organiser's programs: made (shown once), listed, revoked.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import type { Answer } from '../api/types';
import { Button, Notice, PageTitle, Tag, type Tone } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { Table, type Column } from '../parts/table';
import { timeText } from '../text/format';
import { t, type Key } from '../text/messages';

type Tokens = Answer<'/api/v1/tokens', 'get'>;
type Token = Tokens['items'][number];
type NewToken = Answer<'/api/v1/tokens', 'post'>;

const isOver = (token: Token): boolean => !!token.expires_at && Date.parse(token.expires_at) <= Date.now();

function stateOf(token: Token): [Tone, Key] {
  if (token.revoked_at) return ['plain', 'token_revoked'];
  return isOver(token) ? ['plain', 'token_over'] : ['good', 'token_good'];
}

const columns = (revoke: (token: Token) => void): Column<Token>[] => [
  { id: 'label', label: t('token_label'), head: true, cell: (token) => token.label },
  { id: 'created', label: t('token_created'), kind: 'date', cell: (token) => timeText(token.created_at) },
  { id: 'expires', label: t('token_expires'), kind: 'date', cell: (token) => timeText(token.expires_at) },
  {
    id: 'state',
    label: t('token_state'),
    cell: (token) => {
      const [tone, text] = stateOf(token);
      return <Tag tone={tone}>{t(text)}</Tag>;
    },
  },
  {
    id: 'revoke',
    label: t('token_revoke'),
    cell: (token) => stateOf(token)[1] === 'token_good' && <Button onClick={() => revoke(token)}>{t('token_revoke')}</Button>,
  },
];

export function TokensPage() {
  const loaded = useLoad((signal) => call('get', '/api/v1/tokens', { signal }), []);
  const [made, setMade] = useState<NewToken>();
  const [revoking, setRevoking] = useState<Token>();
  const revoked = () => {
    setRevoking(undefined);
    loaded.reload();
  };
  return (
    <div class="stack wide">
      <PageTitle>{t('tokens_title')}</PageTitle>
      <p>{t('tokens_lead')}</p>
      {made && (
        <Notice tone="good" title={t('token_made')} alert>
          <p>{t('token_copy_lead')}</p>
          <p>
            <code>{made.token}</code>
          </p>
        </Notice>
      )}
      <MakeForm
        done={(token) => {
          setMade(token);
          loaded.reload();
        }}
      />
      <LoadBox from={loaded}>
        {(tokens) => (
          <Table
            caption={t('tokens_title')}
            hideCaption
            columns={columns(setRevoking)}
            rows={tokens.items}
            keyOf={(token) => token.token_id}
            off={(token) => stateOf(token)[1] !== 'token_good'}
            empty={t('tokens_none')}
          />
        )}
      </LoadBox>
      {revoking && <RevokeDialog token={revoking} close={() => setRevoking(undefined)} done={revoked} />}
    </div>
  );
}

function MakeForm({ done }: { done: (token: NewToken) => void }) {
  const empty = { label: '', days: '180' };
  const form = useForm(empty, ({ label, days }) => ({
    label: label.trim() ? undefined : t('must_fill', { field: t('token_label') }),
    days: /^\d{1,3}$/.test(days) && Number(days) >= 1 && Number(days) <= 366 ? undefined : t('staff_unused_wrong'),
  }));
  return (
    <FormBox
      form={form}
      label={t('tokens_make')}
      send={async ({ label, days }) => {
        const made = await call('post', '/api/v1/tokens', { body: { label: label.trim(), days: Number(days) } });
        form.reset(empty);
        done(made);
      }}
    >
      <TextField
        id="label"
        label={t('token_label')}
        hint={t('token_label_hint')}
        size="middle"
        max={100}
        need
        value={form.values.label}
        error={form.errors['label']}
        onValue={(value) => form.set('label', value)}
      />
      <TextField
        id="days"
        label={t('token_days')}
        size="short"
        inputMode="numeric"
        need
        value={form.values.days}
        error={form.errors['days']}
        onValue={(value) => form.set('days', value.normalize('NFKC'))}
      />
      <div>
        <SendButton busy={form.busy}>{t('tokens_make')}</SendButton>
      </div>
    </FormBox>
  );
}

function RevokeDialog({ token, close, done }: { token: Token; close: () => void; done: () => void }) {
  const form = useForm({});
  return (
    <Dialog title={t('token_revoke_title', { label: token.label })} onClose={close}>
      <FormBox
        form={form}
        send={async () => {
          await call('delete', '/api/v1/tokens/{token_id}', { path: { token_id: token.token_id } });
          done();
        }}
      >
        <p>{t('token_revoke_sure')}</p>
        <div class="row">
          <SendButton look="danger" busy={form.busy}>
            {t('token_revoke')}
          </SendButton>
          <Button onClick={close}>{t('staff_back')}</Button>
        </div>
      </FormBox>
    </Dialog>
  );
}
