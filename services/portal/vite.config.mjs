// Builds the pages to static files. The gateway's content policy allows nothing inline, so no
// asset becomes a data: address and Vite's inline helper for module preloading stays out.
import { defineConfig } from 'vite';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: ['es2021', 'chrome100', 'firefox100', 'safari15'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    sourcemap: false,
  },
  server: {
    // A running gateway (or the mock of tests/browser/mock) to develop against.
    proxy: { '/api': process.env.MAMIS_API ?? 'http://127.0.0.1:8800' },
  },
});
