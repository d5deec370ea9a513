// A doctor's delegates: naming one, what each did, ending it.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { Button, Facts, Notice, PageTitle, Tag, type Tone } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { timeText } from '../text/format';
import { t, tOf } from '../text/messages';
import { looksLikeEmail } from './start';

type Delegate = Answer<'/api/v1/me/delegates', 'get'>['items'][number];

const TONES: Record<Delegate['state'], Tone> = { invited: 'warn', active: 'good', revoked: 'plain' };

export function DelegatesPage() {
  const loaded = useLoad((signal) => call('get', '/api/v1/me/delegates', { signal }), []);
  return (
    <div class="stack wide read">
      <div class="stack">
        <PageTitle>{t('delegates_title')}</PageTitle>
        <p>{t('delegates_lead')}</p>
      </div>
      <LoadBox from={loaded}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{t('delegates_none')}</p>
          ) : (
            <div class="stack">
              {items.map((item) => (
                <DelegateCard key={item.delegation_id} item={item} changed={loaded.reload} />
              ))}
            </div>
          )
        }
      </LoadBox>
      <InviteForm done={loaded.reload} />
    </div>
  );
}

function InviteForm({ done }: { done: () => void }) {
  const [sent, setSent] = useState('');
  const empty = { name: '', email: '' };
  const form = useForm(empty, ({ name, email }) => ({
    name: name.trim() ? undefined : t('must_fill', { field: t('name') }),
    email: looksLikeEmail(email) ? undefined : t('email_wrong'),
  }));
  return (
    <section class="stack" aria-labelledby="delegate-new">
      <h2 id="delegate-new">{t('delegate_new')}</h2>
      <p>{t('delegate_new_lead')}</p>
      {sent && (
        <Notice tone="good" alert>
          <p>{t('delegate_sent', { email: sent })}</p>
        </Notice>
      )}
      <FormBox
        form={form}
        send={async ({ name, email }) => {
          setSent('');
          await command('post', '/api/v1/me/delegates', { body: { name: name.trim(), email: email.trim() } });
          setSent(email.trim());
          form.reset(empty);
          done();
        }}
      >
        <TextField
          id="name"
          need
          max={120}
          size="middle"
          label={t('name')}
          value={form.values.name}
          error={form.errors['name']}
          onValue={(value) => form.set('name', value)}
        />
        <TextField
          id="email"
          need
          type="email"
          inputMode="email"
          size="middle"
          label={t('email')}
          value={form.values.email}
          error={form.errors['email']}
          onValue={(value) => form.set('email', value)}
        />
        <div>
          <SendButton busy={form.busy}>{t('delegate_send')}</SendButton>
        </div>
      </FormBox>
    </section>
  );
}

function DelegateCard({ item, changed }: { item: Delegate; changed: () => void }) {
  const [asking, setAsking] = useState(false);
  const id = `delegate-${item.delegation_id}`;
  return (
    <section class="card stack" aria-labelledby={id}>
      <div class="row between">
        <h2 id={id}>{item.name}</h2>
        <Tag tone={TONES[item.state]}>{tOf('delegate', item.state)}</Tag>
      </div>
      <Facts
        rows={[
          [t('email'), item.email],
          [t('delegate_since'), timeText(item.accepted_at)],
          [t('delegate_link_until'), item.state === 'invited' && timeText(item.link_until)],
          [t('delegate_ended'), timeText(item.ended_at)],
        ]}
      />
      <details>
        <summary>{t('delegate_history', { n: item.history.length })}</summary>
        <ul>
          {item.history.map((deed) => (
            <li key={deed.at + deed.action + deed.seminar_no}>
              <span class="num">{timeText(deed.at)}</span> {tOf('deed', deed.action)} {deed.seminar_no}
            </li>
          ))}
        </ul>
      </details>
      {item.state !== 'revoked' && (
        <div>
          <Button look="danger" label={t('delegate_end_of', { name: item.name })} onClick={() => setAsking(true)}>
            {t('delegate_end')}…
          </Button>
        </div>
      )}
      {asking && <EndDialog item={item} close={() => setAsking(false)} done={changed} />}
    </section>
  );
}

function EndDialog({ item, close, done }: { item: Delegate; close: () => void; done: () => void }) {
  const form = useForm({});
  return (
    <Dialog title={t('delegate_end_of', { name: item.name })} onClose={close}>
      <FormBox
        form={form}
        send={async () => {
          const path = { delegation_id: item.delegation_id };
          await command('post', '/api/v1/me/delegates/{delegation_id}/revoke', { path });
          close();
          done();
        }}
      >
        <p>{t('delegate_end_sure', { name: item.name })}</p>
        <div class="row">
          <SendButton look="danger" busy={form.busy}>
            {t('delegate_end')}
          </SendButton>
          <Button look="text" onClick={close}>
            {t('delegate_keep')}
          </Button>
        </div>
      </FormBox>
    </Dialog>
  );
}
