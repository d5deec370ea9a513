// Texts that are loaded with a group of pages are there wherever something says them.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const LATER = ['office', 'people', 'privacy'];
const read = (path) => readFileSync(path, 'utf8');
const keysOf = (part) => [...read(`src/text/${part}.ts`).matchAll(/^ {2}(\w+): *\[/gm)].map((found) => found[1]);

/** The files that come with `path`, but not those that it loads later. */
function together(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, type, from] of read(path).matchAll(/^(?:import|export) (type )?(?:[^';]*? from )?'(\.[^']+)';/gm)) {
    const stem = join(dirname(path), from);
    const next = [`${stem}.ts`, `${stem}.tsx`].find((name) => existsSync(name));
    if (!type && next) together(next, found);
  }
  return found;
}

const start = together('src/main.tsx');
const groups = readdirSync('src/pages').filter((name) => name.startsWith('group_'));

/** Keys of `part` that files say by name: t('key'), or a key kept in a table. */
const said = (files, part) => {
  const keys = new Set(keysOf(part));
  return [...files]
    .filter((path) => !path.startsWith('src/text/') && read(path).includes('text/messages'))
    .flatMap((path) => [...read(path).matchAll(/\bt\(\s*'(\w+)'/g)].map((found) => [path, found[1]]))
    .filter(([, key]) => keys.has(key));
};

test('what is seen at the start says nothing that comes later', () => {
  for (const part of LATER) assert.deepEqual(said(start, part), [], part);
});

test('a group that says a text brings it', () => {
  assert.ok(groups.length > 5);
  for (const group of groups) {
    const files = together(`src/pages/${group}`);
    for (const part of LATER)
      if (!files.has(`src/text/${part}.ts`)) assert.deepEqual(said(files, part), [], `${group}: ${part}`);
  }
});
