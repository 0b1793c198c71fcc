import type { Store } from '../core/ports.ts';
import type { History } from './history.ts';
import { createTakeGpuLog } from './take-gpu-log.ts';

/** More runs of one name than anybody has. */
const MOST_RUNS = 10_000;
/** So many samples at a time are sealed while a log comes in: what is not sealed yet is held in memory. */
const SEAL_EVERY = 100_000;

/** The history of a database that no service has open. */
export const createStoredHistory = (store: Store, now: () => number): History => {
  const take = createTakeGpuLog(store);
  let unsealed = 0;
  const seal = async () => {
    unsealed = 0;
    while (store.maintain(now())) await store.settled();
    await store.settled();
  };
  return {
    runsLike: async (id, text) => {
      const run = store.getRun(id);
      return run !== undefined ? [run] : store.listRuns({ text, limit: MOST_RUNS }).items;
    },
    take: async (run, rows) => {
      const came = take(run, rows);
      unsealed += came.taken;
      if (unsealed >= SEAL_EVERY) await seal();
      return came;
    },
    close: async () => {
      await seal();
      store.close();
    },
  };
};
