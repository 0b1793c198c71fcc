import { render } from 'preact';
import { repairLocale } from './locale.ts';
import { startLocation } from './state/location.ts';
import { startSession } from './state/session.ts';
import { startTheme } from './state/theme.ts';

repairLocale(navigator);
// Only now: the charts' library asks for the locale while it is being loaded.
const { App } = await import('./app.tsx');

// This file lies one folder below the first page, in development (src) as in what is built (assets).
const here = import.meta.url;
const base = new URL('..', here).href;
const session = startSession({
  root: new URL('api/v1/', base),
  storage: sessionStorage,
  elapsed: () => performance.now(),
  browserNow: Date.now,
});
const theme = startTheme(document.documentElement, localStorage);
const root = document.getElementById('app');
if (!root) throw new Error('index.html has no element #app');
render(<App parts={{ session, location: startLocation(base), theme, base }} />, root);
