// t('key', {n: 3}): one table, each entry Japanese and English side by side.
import { codeTitles } from '../gen/codes';
import { common } from './common';
import { corrections } from './corrections';
import { doctor } from './doctor';
import { intake } from './intake';
import { lang } from './lang';
import { office } from './office';
import { organiser } from './organiser';
import { signin } from './signin';
import { tray } from './tray';

const table = { ...common, ...signin, ...doctor, ...organiser, ...intake, ...office, ...tray, ...corrections };
export type Key = keyof typeof table;
export type Entry = readonly [ja: string, en: string];

export function t(key: Key, values?: Record<string, string | number>): string {
  const entry: Entry = table[key];
  const text = entry[lang() === 'ja' ? 0 : 1];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

/** The entry `prefix_name` when the table has it, else the name itself (a code newer than we are). */
export function tOf(prefix: string, name: string): string {
  const key = `${prefix}_${name.toLowerCase().replace(/-/g, '_')}`;
  return key in table ? t(key as Key) : name;
}

/** The contract's own title of an outcome, a row's reason or a refusal. */
export function codeTitle(code: string): string {
  return codeTitles[code]?.[lang() === 'ja' ? 0 : 1] ?? code;
}
