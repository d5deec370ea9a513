// Days as people type them -> 'YYYY-MM-DD'. Full-width digits and Japanese eras are understood; a year
// that an era did not have (平成37年) is none, for nobody knows what was meant.
// And times as a browser's field for date and time has them.
type Era = [before: number, years: number];
const REIWA: Era = [2018, Infinity];
const HEISEI: Era = [1988, 31];
const SHOWA: Era = [1925, 64];
const TAISHO: Era = [1911, 15];
const ERAS: Record<string, Era> = { 令和: REIWA, R: REIWA, 平成: HEISEI, H: HEISEI, 昭和: SHOWA, S: SHOWA, 大正: TAISHO, T: TAISHO };

/** null when it is no day of the calendar. */
export function dayOf(text: string): string | null {
  const plain = text.normalize('NFKC').replace(/\s/g, '').toUpperCase();
  const found =
    /^(令和|平成|昭和|大正|[RHST])?(\d{1,4}|元)[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(plain) ??
    /^()(\d{4})(\d{2})(\d{2})$/.exec(plain);
  if (!found) return null;
  const [, era, first, month, day] = found;
  const typed = first === '元' ? 1 : Number(first);
  const [before, years] = era ? ERAS[era]! : [0, 9999];
  if ((!era && first!.length !== 4) || typed < 1 || typed > years) return null;
  const year = typed + before;
  const date = new Date(Date.UTC(year, Number(month) - 1, Number(day)));
  const real = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return real && year >= 1868 && year <= 2200 ? date.toISOString().slice(0, 10) : null;
}

/** What such a field shows of a time of ours: Japan, to the minute. */
export const minuteOf = (time: string): string => time.slice(0, 16);
/** And back. A field that still shows `was` keeps its seconds: it was not changed. */
export const timeOf = (minute: string, was = ''): string =>
  was && minuteOf(was) === minute ? was : `${minute}:00+09:00`;
