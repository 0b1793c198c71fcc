import { useEffect, useState } from 'preact/hooks';

/** A value that can be watched. Listeners are called after every change, in the order in which they came. */
export type Observable<S> = {
  readonly get: () => S;
  /** `change` returns the state as it was to say that nothing changed. */
  readonly update: (change: (state: S) => S) => void;
  readonly subscribe: (listener: () => void) => () => void;
};

export const createObservable = <S>(initial: S): Observable<S> => {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    update: (change) => {
      const next = change(state);
      if (Object.is(next, state)) return;
      state = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

/** A part of an observable; the component renders again when that part is another value (by Object.is). */
export const useObservable = <S, T>(observable: Observable<S>, select: (state: S) => T): T => {
  const selected = select(observable.get());
  const [, render] = useState({});
  useEffect(() => {
    let seen = selected;
    const look = () => {
      const next = select(observable.get());
      if (Object.is(next, seen)) return;
      seen = next;
      render({});
    };
    // What changed between rendering and this effect would be missed otherwise.
    look();
    return observable.subscribe(look);
  });
  return selected;
};
