// The template of a seminar, made here: the page knows its sessions; applicants with a place are filled in.
import { useState } from 'preact/hooks';
import type { components } from '../gen/api';
import { columnName, type Column } from '../sheet/columns';
import { t, tOf } from '../text/messages';
import { Button } from './basics';
import { DownIcon } from './icons';

type Seminar = components['schemas']['Seminar'];

export function TemplateLinks({ seminar }: { seminar: Seminar }) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);

  async function give(kind: 'csv' | 'xlsx'): Promise<void> {
    setBusy(true);
    setFailed(false);
    try {
      const { templateColumns, templateCsv, templateXlsx } = await import('../sheet/template');
      const { withPlaces } = await import('./applicants');
      const people = await withPlaces(seminar.seminar_no);
      const sheets: [string, string] = [t('template_list'), t('template_notes')];
      const blob =
        kind === 'csv'
          ? templateCsv(seminar, people)
          : await templateXlsx(seminar, sheets, notes(seminar, templateColumns(seminar)), people);
      save(blob, `${t('template_name', { no: seminar.seminar_no })}.${kind}`);
    } catch {
      setFailed(true);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div class="stack tight">
      <p>{t('template_lead')}</p>
      <div class="row">
        {(['xlsx', 'csv'] as const).map((kind) => (
          <Button key={kind} busy={busy} onClick={() => void give(kind)}>
            <DownIcon />
            {t(`template_${kind}`)}
          </Button>
        ))}
      </div>
      {failed && (
        <p class="error-text" role="alert">
          {t('template_failed')}
        </p>
      )}
    </div>
  );
}

const notes = (seminar: Seminar, columns: Column[]): string[][] => [
  [t('note_column'), t('note_how')],
  ...columns.map((column) => [
    columnName(column),
    tOf('note', column)
      .replace('{no}', seminar.seminar_no)
      .replace('{list}', seminar.sessions.map((item) => `${item.session_no}（${item.title}）`).join(t('comma'))),
  ]),
];

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken the bytes by the next turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
