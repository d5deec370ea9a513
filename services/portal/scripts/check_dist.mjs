// Looks over dist/ after the build: the gateway's content policy allows nothing inline, and the
// pages have to stay small.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const GZIP_BYTES_MAX = 60 * 1024;
const faults = [];

const html = await readFile('dist/index.html', 'utf8');
if (/<style|\sstyle=|\son\w+=/i.test(html)) faults.push('index.html holds inline style or handlers');
for (const [tag] of html.matchAll(/<script[^>]*>/gi))
  if (!/\ssrc="\/assets\//.test(tag)) faults.push(`index.html holds an inline script: ${tag}`);

let total = 0;
for (const name of await readdir('dist/assets')) {
  const body = await readFile(`dist/assets/${name}`);
  if (!/-[\w-]{8}\.\w+$/.test(name)) faults.push(`${name} has no hash in its name`);
  if (name.endsWith('.css') && body.includes('data:')) faults.push(`${name} holds a data: address`);
  if (/\.(css|js)$/.test(name)) total += gzipSync(body).length;
}
if (total > GZIP_BYTES_MAX) faults.push(`${total} bytes compressed, ${GZIP_BYTES_MAX} allowed`);

for (const fault of faults) console.error(`dist: ${fault}`);
console.log(`dist: ${(total / 1024).toFixed(1)} kB compressed`);
process.exitCode = faults.length > 0 ? 1 : 0;
