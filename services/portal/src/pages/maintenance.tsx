// The calendar of maintenance: planning, moving, calling off. For the national association and
// administrators.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { Button, Notice, PageTitle, Tag } from '../parts/basics';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm, type Found } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { Table } from '../parts/table';
import { minuteOf, timeOf } from '../text/days';
import { timeText } from '../text/format';
import { t, say, type Entry } from '../text/messages';

const words = {
  title: ['メンテナンスの予定', 'Maintenance'],
  lead: [
    '期間中は、管理者のほかはだれもシステムを使えません。受付済みの処理と名簿の取り込みは続きます。開始の14日前と1日前、終了時に、全員にメールでお知らせします。',
    'While it runs nobody but administrators can use the system. Work that was accepted and imports of lists go on. Everybody is told by mail 14 days and 1 day before, and at the end.',
  ],
  plan: ['新しく予定する', 'Plan maintenance'],
  change: ['予定を変える', 'Change the plan'],
  starts_at: ['開始', 'Beginning'],
  ends_at: ['終了', 'End'],
  time_hint: ['日本時間', 'Japan time'],
  note: ['内容（全員に表示されます）', 'What for (shown to everybody)'],
  note_en: ['内容（英語）', 'The same in English'],
  send_plan: ['予定する', 'Plan it'],
  send_change: ['変更する', 'Change it'],
  list: ['予定と、1年以内に終わったもの', 'What is planned, and what ended within a year'],
  none: ['予定はありません。', 'Nothing is planned.'],
  state: ['状態', 'State'],
  what: ['内容', 'What for'],
  do: ['操作', 'Action'],
  planned: ['予定', 'planned'],
  running: ['実施中', 'running'],
  ended: ['終了', 'over'],
  called_off: ['中止', 'called off'],
  edit: ['変える', 'Change'],
  off: ['中止する', 'Call off'],
  stop: ['いま終了する', 'End it now'],
  sure: ['本当に実行しますか。もう一度押すと実行します。', 'Are you sure? Press again to do it.'],
  done: ['予定を保存しました。', 'The plan is saved.'],
  cancel: ['やめる', 'Cancel'],
} satisfies Record<string, Entry>;
const w = (key: keyof typeof words): string => say(words[key]);

type Window = Answer<'/api/v1/maintenance', 'get'>['items'][number];
interface Values {
  starts_at: string;
  ends_at: string;
  note: string;
  note_en: string;
}
const empty: Values = { starts_at: '', ends_at: '', note: '', note_en: '' };
function check(values: Values): Found {
  const must = (name: 'starts_at' | 'ends_at' | 'note') =>
    values[name].trim() ? undefined : t('must_fill', { field: w(name) });
  return { starts_at: must('starts_at'), ends_at: must('ends_at'), note: must('note') };
}

/** `was`: the one that is changed. What runs keeps its beginning to the second. */
const bodyOf = (values: Values, was?: Window) => ({
  starts_at: timeOf(values.starts_at, was?.starts_at),
  ends_at: timeOf(values.ends_at, was?.ends_at),
  note: values.note.trim(),
  note_en: values.note_en.trim(),
});

interface PlanFormProps {
  /** The one that is changed; none: a new one. */
  window: Window | undefined;
  saved: () => void;
  cancel: () => void;
}

function PlanForm({ window, saved, cancel }: PlanFormProps) {
  const begin = window
    ? { starts_at: minuteOf(window.starts_at), ends_at: minuteOf(window.ends_at), note: window.note, note_en: window.note_en }
    : empty;
  const form = useForm<Values>(begin, check);
  const field = (name: 'starts_at' | 'ends_at') => (
    <TextField
      id={name}
      type="datetime-local"
      size="middle"
      need
      label={w(name)}
      hint={w('time_hint')}
      readOnly={name === 'starts_at' && window?.state === 'running'}
      value={form.values[name]}
      error={form.errors[name]}
      onValue={(value) => form.set(name, value)}
    />
  );
  return (
    <FormBox
      form={form}
      label={w(window ? 'change' : 'plan')}
      send={async (values) => {
        if (window)
          await command('put', '/api/v1/maintenance/{window_id}', {
            path: { window_id: window.window_id },
            body: bodyOf(values, window),
          });
        else await command('post', '/api/v1/maintenance', { body: bodyOf(values) });
        if (!window) form.reset(empty);
        saved();
      }}
    >
      <div class="row">
        {field('starts_at')}
        {field('ends_at')}
      </div>
      <TextField
        id="note"
        need
        label={w('note')}
        value={form.values.note}
        error={form.errors['note']}
        onValue={(value) => form.set('note', value)}
      />
      <TextField
        id="note_en"
        label={w('note_en')}
        value={form.values.note_en}
        error={form.errors['note_en']}
        onValue={(value) => form.set('note_en', value)}
      />
      <div class="row">
        <SendButton busy={form.busy}>{w(window ? 'send_change' : 'send_plan')}</SendButton>
        {window && (
          <Button look="text" onClick={cancel}>
            {w('cancel')}
          </Button>
        )}
      </div>
    </FormBox>
  );
}

function EndButton({ window, ended }: { window: Window; ended: () => void }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState('');
  async function end(): Promise<void> {
    if (!asked) return setAsked(true);
    setBusy(true);
    try {
      await command('post', '/api/v1/maintenance/{window_id}/end', { path: { window_id: window.window_id } });
      ended();
    } catch (cause) {
      setFailed(cause instanceof Error ? cause.message : '');
    } finally {
      setBusy(false);
      setAsked(false);
    }
  }
  return (
    <span class="row">
      <Button busy={busy} onClick={() => void end()}>
        {w(window.state === 'running' ? 'stop' : 'off')}
      </Button>
      <span role="status">{asked ? w('sure') : failed}</span>
    </span>
  );
}

const open = (window: Window): boolean => window.state === 'planned' || window.state === 'running';

export function MaintenancePage() {
  const list = useLoad((signal) => call('get', '/api/v1/maintenance', { signal }), []);
  const [changing, setChanging] = useState<Window>();
  const [saved, setSaved] = useState(false);
  const after = () => {
    setChanging(undefined);
    setSaved(true);
    list.reload();
  };
  return (
    <div class="stack wide">
      <PageTitle>{w('title')}</PageTitle>
      <p>{w('lead')}</p>
      <div role="status">
        {saved && (
          <Notice tone="good">
            <p>{w('done')}</p>
          </Notice>
        )}
      </div>
      <section class="stack" aria-labelledby="plan">
        <h2 id="plan">{w(changing ? 'change' : 'plan')}</h2>
        <PlanForm key={changing?.window_id} window={changing} saved={after} cancel={() => setChanging(undefined)} />
      </section>
      <LoadBox from={list}>
        {({ items }) => (
          <Table
            caption={w('list')}
            rows={items}
            keyOf={(row) => row.window_id}
            empty={w('none')}
            columns={[
              { id: 'starts_at', label: w('starts_at'), head: true, cell: (row) => timeText(row.starts_at) },
              { id: 'ends_at', label: w('ends_at'), cell: (row) => timeText(row.ends_at) },
              { id: 'what', label: w('what'), cell: (row) => row.note },
              {
                id: 'state',
                label: w('state'),
                cell: (row) => <Tag tone={row.state === 'running' ? 'warn' : 'plain'}>{w(row.state)}</Tag>,
              },
              {
                id: 'do',
                label: w('do'),
                wide: true,
                cell: (row) =>
                  open(row) && (
                    <span class="row">
                      <Button onClick={() => setChanging(row)}>{w('edit')}</Button>
                      <EndButton window={row} ended={after} />
                    </span>
                  ),
              },
            ]}
          />
        )}
      </LoadBox>
    </div>
  );
}
