import type { Clock } from './core/clock.ts';
import type { Log } from './core/log.ts';
import { Busy, type Store } from './core/ports.ts';
import { type RunGpu, USUAL_BELOW } from './core/run-gpu.ts';
import { readRunGpuUse } from './core/run-gpu-use.ts';
import type { RunGrouping } from './core/run-windows.ts';

/** What is kept of a run; days are not, since they depend on the time zone. */
const KEPT: readonly RunGrouping[] = ['run', 'attempt', 'epoch', 'phase'];

/** Keeps what the use of its GPUs came to for every run that has ended, so that it outlives the samples. */
export type RunStatistics = {
  /** Sees to the runs of which nothing is kept yet, one after the other; resolves when it is through, or gives up. */
  readonly keep: () => Promise<void>;
  /** Gives up what it is at. */
  readonly close: () => Promise<void>;
};

export const createRunStatistics = ({
  store,
  clock,
  log,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): RunStatistics => {
  const ending = new AbortController();
  let working: Promise<void> | null = null;
  let failedWith: string | null = null;

  const keepNext = async (): Promise<boolean> => {
    const id = store.nextWithoutStatistics();
    const run = id === null ? undefined : store.getRun(id);
    if (run === undefined) return false;
    const before = JSON.stringify([run, store.listRunGpus(run.id)]);
    const found: { readonly by: RunGrouping; readonly items: readonly RunGpu[] }[] = [];
    for (const by of KEPT) {
      const query = { by, zone: 'UTC', below: USUAL_BELOW, now: clock.now() };
      found.push({ by, items: (await readRunGpuUse(store, run, query, { signal: ending.signal })).items });
    }
    // It began again meanwhile, or was given a log: this was too early.
    if (JSON.stringify([store.getRun(run.id), store.listRunGpus(run.id)]) !== before) return true;
    store.transaction(() => {
      for (const { by, items } of found) store.saveRunStatistics(run.id, by, items, clock.now());
    });
    return true;
  };

  const keepAll = async () => {
    try {
      while (await keepNext()) failedWith = null;
    } catch (err) {
      // Others read: it is its turn when they are through.
      if (ending.signal.aborted || err instanceof Busy) return;
      if (String(err) !== failedWith) log.error({ err }, 'what a run came to cannot be kept');
      failedWith = String(err);
    }
  };

  return {
    keep: () => {
      working ??= keepAll().finally(() => {
        working = null;
      });
      return working;
    },
    close: async () => {
      ending.abort();
      await working;
    },
  };
};
