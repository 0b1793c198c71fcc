import { defineConfig } from 'vite';

/**
 * Only index.html names its files from the root (it is served for every path of the dashboard, at any depth); they
 * find each other and the service relative to where they are. So under a path prefix one file has to be rewritten.
 * No inline script and no polyfill: the service's content security policy stays strict.
 */
export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === 'html' ? `/${name}` : { relative: true }),
  },
  // `npm run dev:web` beside a running service.
  server: { proxy: { '/api': { target: 'http://127.0.0.1:4747', ws: true }, '/readyz': 'http://127.0.0.1:4747' } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
