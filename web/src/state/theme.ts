import { createObservable, type Observable } from './observable.ts';

export type Theme = 'light' | 'dark';

const KEY = 'signalbox.theme';

/** The theme in force, kept on the page's root element: what the system prefers, until a person has chosen. */
export const startTheme = (root: HTMLElement, storage: Storage): Observable<Theme> => {
  const preference = matchMedia('(prefers-color-scheme: dark)');
  const preferred = (): Theme => (preference.matches ? 'dark' : 'light');
  const chosen = storage.getItem(KEY);
  const theme = createObservable<Theme>(chosen === 'light' || chosen === 'dark' ? chosen : preferred());
  const show = () => {
    root.dataset.theme = theme.get();
  };
  theme.subscribe(show);
  show();
  preference.addEventListener('change', () => {
    if (storage.getItem(KEY) === null) theme.update(preferred);
  });
  return theme;
};

/** Changes to the other theme; choosing what the system prefers anyway goes back to following it. */
export const toggleTheme = (theme: Observable<Theme>, storage: Storage): void => {
  theme.update((now) => (now === 'light' ? 'dark' : 'light'));
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  if (theme.get() === system) storage.removeItem(KEY);
  else storage.setItem(KEY, theme.get());
};
