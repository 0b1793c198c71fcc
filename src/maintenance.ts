import type { Clock } from './core/clock.ts';
import type { Store } from './core/ports.ts';

const EVERY_MS = 60_000;

/** Looks after the history, at every call when it is time: a small step a minute, and one a call while there is more to do. */
export const createMaintenance = ({ store, clock }: { readonly store: Store; readonly clock: Clock }): (() => void) => {
  let nextAt = clock.now() + EVERY_MS;
  return () => {
    const now = clock.now();
    if (now >= nextAt && !store.maintain(now)) nextAt = now + EVERY_MS;
  };
};
