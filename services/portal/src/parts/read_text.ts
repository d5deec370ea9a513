// How the log of reads names who looked and at what.
import { t, tOf } from '../text/messages';

/** An association or organiser by its name; the national one and others by their role. */
export const readerText = (by: { role: string; office_name: string | null }): string =>
  by.office_name ? `${by.office_name}（${tOf('role', by.role)}）` : tOf('role', by.role);

/** What was looked at; an action newer than this page is just that. */
export function readText(action: string): string {
  const text = tOf('read', action);
  return text === action ? t('read_other') : text;
}
