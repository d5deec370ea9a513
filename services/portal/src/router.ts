// A small history router: patterns with {names}, one place that moves.
import { useEffect, useState } from 'preact/hooks';

export interface Place {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

export function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Only paths of these pages: what came in an address ('//evil', 'https:...') leads home. */
export function safePath(path: string | null): string {
  return path && /^\/(?![/\\])[^\\]*$/.test(path) ? path : '/';
}

let moved = false;

/** Whether the person has moved within these pages; the first page keeps the browser's own focus. */
export const hasMoved = (): boolean => moved;

interface GoOptions {
  replace?: boolean;
  state?: string;
  /** The address is only put right: nobody asked to move. */
  quiet?: boolean;
}

export function go(path: string, options: GoOptions = {}): void {
  const state = options.state ?? null;
  const samePage = path.split('?')[0] === location.pathname;
  if (options.replace) history.replaceState(state, '', path);
  else history.pushState(state, '', path);
  if (!options.quiet) moved = true;
  if (!samePage) window.scrollTo(0, 0);
  tell();
}

/** Changes the query without a new entry in the history, for filters and pages of lists. */
export function setQuery(values: Record<string, string>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ''), { replace: true });
}

/** '/uploads/{id}' and '/uploads/7' -> {id: '7'}; null when it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.replace(/\/+$/, '').split('/');
  if (path === '/') given.push('');
  if (wanted.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (let i = 0; i < wanted.length; i++) {
    const name = /^\{(\w+)\}$/.exec(wanted[i]!)?.[1];
    if (name) {
      if (!given[i]) return null;
      try {
        values[name] = decodeURIComponent(given[i]!);
      } catch {
        return null;
      }
    } else if (wanted[i] !== given[i]) return null;
  }
  return values;
}

function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.target || link.hasAttribute('download')) return;
  if (link.origin !== location.origin || link.pathname.startsWith('/api/')) return;
  if (link.hash && link.pathname === location.pathname) return; // to a place on this page
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const listener = () => setPlace(here());
    listeners.add(listener);
    addEventListener('popstate', listener);
    document.addEventListener('click', followLinks);
    return () => {
      listeners.delete(listener);
      removeEventListener('popstate', listener);
      document.removeEventListener('click', followLinks);
    };
  }, []);
  return place;
}
