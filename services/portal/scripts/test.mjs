// Runs src/**/*.test.ts with node:test: esbuild bundles each into a temporary folder first.
import { build } from 'esbuild';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';

async function testFiles(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await testFiles(path)));
    else if (/\.test\.(tsx?|mjs)$/.test(entry.name)) found.push(path);
  }
  return found;
}

/** As in vite.config.mjs: what is tested is what the browser gets. */
const zipHere = {
  name: 'zip-here',
  setup: ({ onResolve }) => onResolve({ filter: /^fflate$/ }, () => ({ path: resolve('src/sheet/zip.ts') })),
};

const out = await mkdtemp(join(tmpdir(), 'mamis-portal-test-'));
try {
  await build({
    entryPoints: await testFiles('src'),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['node:*'],
    plugins: [zipHere],
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  const run = spawnSync(process.execPath, ['--test', ...(await testFiles(out))], { stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
