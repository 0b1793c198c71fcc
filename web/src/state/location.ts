import { createObservable, type Observable } from './observable.ts';

/** Where the dashboard is: its path below the base, its query and its fragment (without `#`). */
export type Place = { readonly path: string; readonly query: string; readonly fragment: string };

/** The browser's address as an observable, and the only writer of it. */
export type Location = {
  readonly place: Observable<Place>;
  /** Goes to an address relative to the base; `replace` leaves no step for the back button. */
  readonly go: (address: string, options?: { readonly replace: boolean }) => void;
};

export const startLocation = (base: string): Location => {
  const root = new URL(base).pathname;
  const read = (): Place => {
    const { pathname, search, hash } = window.location;
    const path = pathname.startsWith(root) ? pathname.slice(root.length) : pathname.slice(1);
    return { path: path.replace(/\/$/, ''), query: search.slice(1), fragment: hash.slice(1) };
  };
  const place = createObservable(read());
  addEventListener('popstate', () => place.update(read));
  return {
    place,
    go: (address, options) => {
      const url = new URL(address, base);
      if (options?.replace) history.replaceState(null, '', url);
      else history.pushState(null, '', url);
      place.update(read);
    },
  };
};
