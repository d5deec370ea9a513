// t('key', {n: 3}): one table, each entry Japanese and English side by side.
import { codeTitles } from '../gen/codes';
import { common } from './common';
import { corrections } from './corrections';
import { doctor } from './doctor';
import { intake } from './intake';
import { lang } from './lang';
import type { office } from './office';
import { organiser } from './organiser';
import type { people } from './people';
import type { privacy } from './privacy';
import { signin } from './signin';
import { tray } from './tray';

const parts = [common, signin, doctor, organiser, intake, tray, corrections] as const;
/** With the texts of parts that are loaded when somebody goes to them. */
type All = readonly [...typeof parts, typeof office, typeof people, typeof privacy];
type KeysOf<Part> = Part extends unknown ? keyof Part : never;
type Twice<All extends readonly unknown[]> = All extends readonly [infer First, ...infer Rest]
  ? (keyof First & KeysOf<Rest[number]>) | Twice<Rest>
  : never;
type None<Keys extends never> = Keys;
/** Of two parts with the same key the later would win unseen: the compiler names such keys here. */
export type KeyTwice = None<Twice<All>>;

export type Key = KeysOf<All[number]>;
export type Entry = readonly [ja: string, en: string];
const table: Record<Key, Entry> = Object.assign({}, ...parts);

/** What a part of the pages says that is loaded later: called by that part, before it is shown. */
export function addTexts(part: Partial<Record<Key, Entry>>): void {
  Object.assign(table, part);
}

type Values = Record<string, string | number>;

/** An entry in the language of the pages; parts that are loaded later keep tables of their own. */
export function say(entry: Entry, values?: Values): string {
  const text = entry[lang() === 'ja' ? 0 : 1];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

export const t = (key: Key, values?: Values): string => say(table[key], values);

/** The same for a table of its own. */
export const textsOf =
  <T extends Record<string, Entry>>(own: T) =>
  (key: keyof T & string, values?: Values): string =>
    say(own[key]!, values);

/** The entry `prefix_name` when the table has it, else the name itself (a code newer than we are). */
export function tOf(prefix: string, name: string): string {
  const key = `${prefix}_${name.toLowerCase().replace(/-/g, '_')}`;
  return key in table ? t(key as Key) : name;
}

/** The contract's own title of an outcome, a row's reason or a refusal. */
export function codeTitle(code: string): string {
  return codeTitles[code]?.[lang() === 'ja' ? 0 : 1] ?? code;
}
