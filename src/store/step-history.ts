import type { Database } from 'better-sqlite3';
import type { StoreReader } from '../core/ports.ts';
import { createReadSteps } from './step-buckets.ts';
import type { Worker } from './worker/worker.ts';

/** So many are read in about two milliseconds. */
const FEW = 1000;

type Dependencies = { readonly db: Database; readonly worker: Worker };

/** The steps of a run in buckets; those of a run that has many are read by the worker. */
export const createStepHistory = ({ db, worker }: Dependencies): StoreReader['stepHistory'] => {
  const read = createReadSteps(db);
  const countUpTo = db
    .prepare<[string, number], number>('SELECT count(*) FROM (SELECT 1 FROM steps WHERE run = ? LIMIT ?)')
    .pluck();
  return async (run, query, limits) => {
    const input = { ...query, run };
    const isCheap = (countUpTo.get(run, FEW + 1) ?? 0) <= FEW;
    return isCheap ? read(input, () => {}) : worker.run('steps', () => input, limits);
  };
};
