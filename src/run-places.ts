import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { Store } from './core/ports.ts';

/**
 * Finds the run folder that a console names. What it prints is often relative to where the training ran: `workedIn` where
 * that is known; else it is looked for at every folder above `near`, and last as the end of exactly one run's path.
 * Null: no run is known there (yet).
 */
export type RunPlaces = (folder: string, place: { workedIn: string } | { near: string }) => string | null;

export const createRunPlaces =
  ({ store, host }: { readonly store: Pick<Store, 'runAt' | 'listRuns'>; readonly host: string }): RunPlaces =>
  (folder, place) => {
    const named = normalize(folder).replace(/\/+$/, '');
    const isKnown = (path: string) => store.runAt(path, host) !== null;
    if (isAbsolute(named)) return isKnown(named) ? named : null;
    if ('workedIn' in place) {
      const path = join(place.workedIn, named);
      return isKnown(path) ? path : null;
    }
    for (let above = dirname(place.near); ; above = dirname(above)) {
      const path = join(above, named);
      if (isKnown(path)) return path;
      if (above === dirname(above)) break;
    }
    const ending = store
      .listRuns({ text: named, limit: 100 })
      .items.flatMap(({ path }) => (path.endsWith(`/${named}`) ? path : []));
    return ending.length === 1 ? (ending[0] ?? null) : null;
  };
