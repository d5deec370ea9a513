// A few attendees entered by hand: the table is loaded when somebody opens it.
import { useRef, useState } from 'preact/hooks';
import type { FunctionComponent } from 'preact';
import type { components } from '../gen/api';
import { t } from '../text/messages';

type Seminar = components['schemas']['Seminar'];

export function HandEntry({ seminar }: { seminar: Seminar }) {
  const [Table, setTable] = useState<FunctionComponent<{ seminar: Seminar }>>();
  const [word, setWord] = useState<'loading' | 'part_failed'>();
  const asked = useRef(false);

  async function open(): Promise<void> {
    if (asked.current) return;
    asked.current = true;
    setWord('loading');
    try {
      const { HandTable } = await import('./hand_table');
      setTable(() => HandTable);
    } catch {
      asked.current = false; // opening it again tries again
      setWord('part_failed');
    }
  }

  return (
    <details onToggle={(event) => event.currentTarget.open && void open()}>
      <summary>{t('hand_open')}</summary>
      {Table ? <Table seminar={seminar} /> : <p role="status">{word && t(word)}</p>}
    </details>
  );
}
