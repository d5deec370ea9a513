// What changes on My Page while it is open: server-sent events that say which data to ask for again.
import { useEffect, useRef } from 'preact/hooks';

const AGAIN_MS = 30_000;
const AGAIN_MOST_MS = 120_000;
const TRIES_MAX = 15; // over 25 minutes

/**
 * Calls `onNews` when credits were posted or cancelled, or a standing was worked out again; and
 * once at the beginning, which closes the gap since the page was read (`first`). Only while the
 * page can be seen: hidden ones would hold a connection for nobody. Where too many pages are open
 * for a stream of its own, the page asks at each try.
 */
export function useNews(what: 'credits' | 'standing', onNews: (first: boolean) => void): void {
  const latest = useRef(onNews);
  latest.current = onNews;
  useEffect(() => {
    let events: EventSource | undefined;
    let timer = 0;
    let tries = 0;
    let first = true;

    const open = () => {
      close();
      if (document.hidden) return;
      events = new EventSource('/api/v1/me/events');
      events.onopen = () => (tries = 0);
      events.addEventListener(what, () => {
        latest.current(first);
        first = false;
      });
      // The browser comes back by itself, except after an answer that was no stream (401, 503).
      // Then a number of tries: asking for ever would keep an idle session alive.
      events.onerror = () => {
        if (events?.readyState !== EventSource.CLOSED || ++tries > TRIES_MAX) return;
        timer = window.setTimeout(again, Math.min(AGAIN_MS * tries, AGAIN_MOST_MS));
      };
    };
    const again = () => {
      latest.current(false);
      open();
    };
    const close = () => {
      clearTimeout(timer);
      events?.close();
      events = undefined;
    };
    open();
    document.addEventListener('visibilitychange', open);
    return () => {
      document.removeEventListener('visibilitychange', open);
      close();
    };
  }, [what]);
}
