// Looks over dist/ after the build: the gateway's content policy allows nothing inline, and the
// pages have to stay small: what index.html names, and each part that is loaded when it is wanted.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const START_BYTES_MAX = 60 * 1024;
const PART_BYTES_MAX = 30 * 1024;
const faults = [];

const html = await readFile('dist/index.html', 'utf8');
if (/<style|\sstyle=|\son\w+=/i.test(html)) faults.push('index.html holds inline style or handlers');
for (const [tag] of html.matchAll(/<script[^>]*>/gi))
  if (!/\ssrc="\/assets\//.test(tag)) faults.push(`index.html holds an inline script: ${tag}`);

let start = 0;
for (const name of await readdir('dist/assets')) {
  const body = await readFile(`dist/assets/${name}`);
  if (!/-[\w-]{8}\.\w+$/.test(name)) faults.push(`${name} has no hash in its name`);
  if (name.endsWith('.css') && body.includes('data:')) faults.push(`${name} holds a data: address`);
  if (!/\.(css|js)$/.test(name)) continue;
  const bytes = gzipSync(body).length;
  if (html.includes(`/assets/${name}`)) start += bytes;
  else if (bytes > PART_BYTES_MAX) faults.push(`${name}: ${bytes} bytes compressed, ${PART_BYTES_MAX} allowed`);
}
if (start > START_BYTES_MAX) faults.push(`${start} bytes compressed, ${START_BYTES_MAX} allowed`);

for (const fault of faults) console.error(`dist: ${fault}`);
console.log(`dist: ${(start / 1024).toFixed(1)} kB compressed at the start`);
process.exitCode = faults.length > 0 ? 1 : 0;
