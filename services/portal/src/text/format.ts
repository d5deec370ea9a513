// How dates, times and units are written for people. Data keeps half units and RFC 3339 texts
// with +09:00, so nothing here needs the browser's time zone.
import { calendar, eraYear } from './calendar';
import { lang } from './lang';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** '2026-11-22' (or a time that begins so) -> 2026年11月22日, 令和8年11月22日 / 22 November 2026. */
export function dateText(iso: string | null | undefined): string {
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(iso ?? '');
  if (!found) return '';
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  return lang() === 'ja' ? `${yearOf(iso!)}${month}月${day}日` : `${day} ${MONTHS[month - 1]} ${year}`;
}

/** In the calendar that was chosen. */
const yearOf = (iso: string): string => (calendar() === 'era' ? eraYear(iso) : `${Number(iso.slice(0, 4))}年`);

/** '2026-11-22T09:05:00+09:00' -> 2026年11月22日 9:05. */
export function timeText(iso: string | null | undefined): string {
  const found = /T(\d{2}):(\d{2})/.exec(iso ?? '');
  return found ? `${dateText(iso)} ${Number(found[1])}:${found[2]}` : dateText(iso);
}

/** '...T09:05:00+09:00' -> 9:05. */
export function clockText(iso: string): string {
  const found = /T(\d{2}):(\d{2})/.exec(iso);
  return found ? `${Number(found[1])}:${found[2]}` : '';
}

/** 2026 -> 2026年度, April 2026 to March 2027. */
export function yearText(year: number): string {
  return lang() === 'ja' ? `${yearOf(`${year}-04-01`)}度` : `FY ${year}/${String((year + 1) % 100).padStart(2, '0')}`;
}

/** First and last day of a fiscal year, April to March. */
export const yearDays = (year: number): [from: string, to: string] => [`${year}-04-01`, `${year + 1}-03-31`];

/** Half units as a bare number of units: 3 -> 1.5. */
export function unitNumber(halfUnits: number): string {
  const whole = Math.trunc(Math.abs(halfUnits) / 2);
  return `${halfUnits < 0 ? '-' : ''}${whole}${halfUnits % 2 === 0 ? '' : '.5'}`;
}

/** 3 -> 1.5単位 / 1.5 units. */
export function unitText(halfUnits: number): string {
  const number = unitNumber(halfUnits);
  if (lang() === 'ja') return `${number}単位`;
  return `${number} ${number === '1' ? 'unit' : 'units'}`;
}

export function periodText(from: string | null | undefined, to: string | null | undefined): string {
  if (!from && !to) return '';
  return lang() === 'ja' ? `${dateText(from)} ～ ${dateText(to)}` : `${dateText(from)} to ${dateText(to)}`;
}

export function numberText(value: number): string {
  return value.toLocaleString(lang());
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${numberText(Math.round(bytes / 1024))} kB`;
  return `${numberText(Math.round(bytes / 104857.6) / 10)} MB`;
}

/** Units typed by a person ('3', '1.5', full-width too) -> half units, or null. */
export function halfUnitsOf(text: string): number | null {
  const plain = text.trim().normalize('NFKC');
  const found = /^(\d{1,3})(?:\.([05]))?$/.exec(plain);
  return found ? Number(found[1]) * 2 + (found[2] === '5' ? 1 : 0) : null;
}
