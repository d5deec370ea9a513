// Finding rows of an upload; the wish stands in the address, so that it can be kept and sent on.
import { useEffect, useState } from 'preact/hooks';
import { here, setQuery } from '../router';
import { t } from '../text/messages';
import { Button } from './basics';
import { TextField } from './fields';

export interface RowWish {
  reason: string;
  q: string;
}

export function rowWish(): RowWish {
  const { query } = here();
  return { reason: query.get('reason') ?? '', q: query.get('q') ?? '' };
}

export function RowSearch({ wish }: { wish: RowWish }) {
  const [text, setText] = useState(wish.q);
  useEffect(() => setText(wish.q), [wish.q]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        setQuery({ q: text.trim(), reason: '' });
      }}
    >
      <TextField id="find" type="search" label={t('find_label')} value={text} max={100} onValue={setText} />
      <Button submit>{t('search')}</Button>
      {(wish.q || wish.reason) && (
        <Button look="text" onClick={() => setQuery({ q: '', reason: '' })}>
          {t('find_clear')}
        </Button>
      )}
    </form>
  );
}
