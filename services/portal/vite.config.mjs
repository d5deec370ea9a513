// Builds the pages to static files. The gateway's content policy allows nothing inline, so no
// asset becomes a data: address and Vite's inline helper for module preloading stays out. It allows
// no worker made of text either, which fflate's slow functions want.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  resolve: { alias: [{ find: /^fflate$/, replacement: fileURLToPath(new URL('src/sheet/zip.ts', import.meta.url)) }] },
  build: {
    target: ['es2021', 'chrome100', 'firefox100', 'safari15'],
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
    sourcemap: false,
  },
  server: {
    // A running gateway (or the mock of tests/browser/mock) to develop against.
    proxy: { '/api': process.env.MAMIS_API ?? 'http://127.0.0.1:8800' },
  },
});
