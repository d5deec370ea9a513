// The life of an upload as it happens: server-sent events, and asking again where they fail.
import { useEffect, useState } from 'preact/hooks';
import { call } from './client';
import type { components } from '../gen/api';

export type Upload = components['schemas']['Upload'];

export const isOver = (upload: Upload): boolean =>
  upload.status === 'done' || upload.status === 'refused' || upload.status === 'undone';

const ASK_EVERY_MS = 3000;

interface Progress {
  upload: Upload;
  lost: boolean;
  /** Reads it again, after something in it was changed. */
  refresh: () => void;
}

/** Follows the upload until it is over. `lost` while nothing is heard. */
export function useProgress(first: Upload): Progress {
  const [upload, setUpload] = useState(first);
  const [lost, setLost] = useState(false);
  const id = first.upload_id;

  useEffect(() => {
    setUpload(first);
    if (isOver(first)) return undefined;
    let over = false;
    let timer = 0;
    const events = new EventSource(`/api/v1/uploads/${encodeURIComponent(id)}/events`);

    const take = (next: Upload) => {
      setLost(false);
      setUpload(next);
      if (isOver(next)) end();
    };
    const end = () => {
      over = true;
      events.close();
      clearTimeout(timer);
    };
    const onEvent = (event: MessageEvent<string>) => {
      try {
        take(JSON.parse(event.data) as Upload);
      } catch {
        // Half an event: the next one brings the whole state again.
      }
    };
    // The browser reconnects by itself, except after an answer that was no stream (204 at the
    // end, 401, 503): then the upload is read as an ordinary page would.
    const ask = () => {
      call('get', '/api/v1/uploads/{upload_id}', { path: { upload_id: id } })
        .then(take, () => setLost(true))
        .finally(() => {
          if (!over) timer = window.setTimeout(ask, ASK_EVERY_MS);
        });
    };
    events.addEventListener('progress', onEvent);
    events.addEventListener('done', onEvent);
    events.onerror = () => {
      if (over) return;
      setLost(true);
      if (events.readyState === EventSource.CLOSED) ask();
    };
    events.onopen = () => setLost(false);
    return end;
  }, [id]);

  const refresh = () => {
    // What cannot be read now is read with the page's next load.
    call('get', '/api/v1/uploads/{upload_id}', { path: { upload_id: id } }).then(setUpload, () => undefined);
  };
  return { upload, lost, refresh };
}

/** Rows whose outcome is known. */
export const rowsJudged = (upload: Upload): number =>
  Object.values(upload.counts).reduce((sum, count) => sum + count, 0);

export const rowsToFix = (upload: Upload): number => upload.counts.rejected + upload.counts.unmatched;
