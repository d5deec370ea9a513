// The portal's pages as its own route table and access.yaml have them, so that no page is forgotten.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const table = await readFile(`${top}services/portal/src/pages/table.tsx`, 'utf8');
const access = await readFile(`${top}proto/access.yaml`, 'utf8');

/** Roles that may do an action. */
const rolesOf = new Map(
  [...access.matchAll(/^ {2}(\w+):\n(?: {4}.*\n)*? {4}roles: \{(.*)\}$/gm)].map(([, action, roles]) => [
    action,
    [...roles.matchAll(/(\w+):/g)].map(([, role]) => role),
  ]),
);

/** [pattern] of pages that nobody needs to be signed in for. */
export const OPEN_PAGES = [...table.matchAll(/^ {2}\['([^']+)', \(/gm)].map(([, pattern]) => pattern);

const SIGNED_IN = [...table.matchAll(/^ {2}\['([^']+)', '(\w+)', \(/gm)].map(([, pattern, action]) => {
  if (!rolesOf.has(action)) throw new Error(`${pattern}: access.yaml has no action ${action}`);
  return { pattern, roles: rolesOf.get(action) };
});

/** Patterns of the pages that a role may open. */
export const pagesOf = (role) => SIGNED_IN.filter(({ roles }) => roles.includes(role)).map(({ pattern }) => pattern);
