// Years in the Japanese calendar, for people who expect them: offices begin with it, and each account
// keeps its choice in this browser.
export type Calendar = 'western' | 'era';

const KEY = 'mamis_calendar:';
let account = '';
let current: Calendar = 'western';

/** Each era with its first day, newest first. */
const ERAS: [name: string, from: string][] = [
  ['令和', '2019-05-01'],
  ['平成', '1989-01-08'],
  ['昭和', '1926-12-25'],
  ['大正', '1912-07-30'],
  ['明治', '1868-10-23'],
];

/** '2025-04-01' -> ['令和', 7]; null before the first era. */
export function eraOf(iso: string): [name: string, year: number] | null {
  const found = ERAS.find(([, from]) => iso.slice(0, 10) >= from);
  return found ? [found[0], Number(iso.slice(0, 4)) - Number(found[1].slice(0, 4)) + 1] : null;
}

/** 令和元年, 令和7年; the western year where there was no era. */
export function eraYear(iso: string): string {
  const era = eraOf(iso);
  return era ? `${era[0]}${era[1] === 1 ? '元' : era[1]}年` : `${Number(iso.slice(0, 4))}年`;
}

export const mayChoose = (role: string): boolean => role.startsWith('office_');

export const calendar = (): Calendar => current;

/** Of who is signed in; nobody: western. */
export function calendarOf(me: { id: string; role: string } | null): void {
  account = me?.id ?? '';
  current = me && mayChoose(me.role) ? 'era' : 'western';
  try {
    const kept = account && localStorage.getItem(KEY + account);
    if (kept === 'western' || kept === 'era') current = kept;
  } catch {
    // Storage is closed in some private windows.
  }
}

export function setCalendar(next: Calendar): void {
  current = next;
  try {
    localStorage.setItem(KEY + account, next);
  } catch {
    // The choice then lasts until the page is left.
  }
}
