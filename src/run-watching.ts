import { createRunFolderCollector, runCollectorName } from './collectors/run/folder.ts';
import type { Runner } from './collectors/runner/runner.ts';
import type { Clock } from './core/clock.ts';
import type { Log } from './core/log.ts';
import type { Batch, Collector, Store } from './core/ports.ts';
import { isActive, type Run } from './core/run.ts';
import type { RunTracker } from './run-tracker.ts';

/** Which run folders have a collector of their own: those of living runs, and the others as long as it takes to look. */
export type RunWatching = {
  /** Looks at a folder from now on. */
  readonly watch: (path: string) => void;
  readonly isWatched: (path: string) => boolean;
  /** False while folders wait for their first look. */
  readonly hasBegun: () => boolean;
  /** Goes by what has become of a run: it is new, has ended, has begun again or was moved. */
  readonly follow: (run: Run, before: { readonly wasActive: boolean; readonly path: string | null }) => void;
  /** Nothing more is to be seen of a run that has ended. */
  readonly leave: (run: Run) => void;
};

/** A run that ended before our eyes is looked at a while longer: its last files are still being written. */
const WATCH_AFTER_END_MS = 10 * 60_000;
/** How soon it is asked again whether all was read of a run that has ended. */
const UNFINISHED_MS = 1000;

/** First looks at a time: years of runs that are found at once must not lie in memory at once. */
const FIRST_LOOKS = 8;

/** `filesOf`: the files of a run folder as the finder last saw them. */
export const createRunWatching = (parts: {
  readonly runner: Runner;
  readonly tracker: RunTracker;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly filesOf: (path: string) => string | null;
}): RunWatching => {
  const { runner, tracker, store, clock, log, filesOf } = parts;
  /** The run that was last seen in each folder. */
  const watched = new Map<string, string | null>();
  const leaving = new Set<string>();
  const waiting: string[] = [];
  const begun = new Set<string>();
  /** Folders whose last look left something for the next one. */
  const unfinished = new Set<string>();

  /** Lets folders that wait have their first look. */
  const begin = () => {
    while (begun.size < FIRST_LOOKS) {
      const path = waiting.shift();
      if (path === undefined) return;
      if (!watched.has(path)) continue;
      begun.add(path);
      runner.add(afterEachLook(createRunFolderCollector(path, { clock, log }), (batch) => looked(path, batch)));
    }
  };
  /** Whatever came of it. What was found is stored a moment later. */
  const looked = (path: string, batch: Batch | null) => {
    if (batch?.hasMore === true) unfinished.add(path);
    else unfinished.delete(path);
    if (begun.delete(path)) setImmediate(begin);
  };

  const leaveFolder = (path: string, run: string) => {
    if (watched.get(path) !== run) return;
    watched.delete(path);
    runner.remove(runCollectorName(path));
  };

  const leaveAfter = (run: Run, ms: number) => {
    if (watched.has(run.path)) watched.set(run.path, run.id);
    if (leaving.has(run.id)) return;
    leaving.add(run.id);
    clock.after(ms, () => {
      leaving.delete(run.id);
      const now = store.getRun(run.id);
      if (now === undefined || isActive(now)) return;
      if (unfinished.has(now.path)) {
        leaveAfter(now, UNFINISHED_MS);
        return;
      }
      const wasLookedAt = watched.get(now.path) === run.id;
      leaveFolder(now.path, run.id);
      tracker.forget(run.id);
      // Until its files change it need not be looked at again, by another start of the service neither.
      const files = wasLookedAt ? filesOf(now.path) : null;
      if (files !== null) store.settle(run.id, files);
    });
  };

  return {
    watch: (path) => {
      if (watched.has(path)) return;
      watched.set(path, null);
      waiting.push(path);
      begin();
    },
    isWatched: (path) => watched.has(path),
    hasBegun: () => waiting.length === 0,
    follow: (run, before) => {
      const active = isActive(run);
      if (active || before.wasActive) {
        log.info({ run: run.id, path: run.path, state: run.state, reason: run.stateReason }, 'run');
      }
      if (before.path !== null) leaveFolder(before.path, run.id);
      if (active) watched.set(run.path, run.id);
      else leaveAfter(run, before.wasActive ? WATCH_AFTER_END_MS : 0);
    },
    leave: (run) => {
      // Its own first look is still to come: an output that lies elsewhere told of it.
      if (!waiting.includes(run.path) && !begun.has(run.path)) leaveAfter(run, 0);
    },
  };
};

/** `done` hears of the end of every look, and at once of one that is given up: a disk may hang for ever. */
const afterEachLook = (collector: Collector, done: (batch: Batch | null) => void): Collector => ({
  ...collector,
  collect: async (signal, hints) => {
    signal.addEventListener('abort', () => done(null), { once: true });
    let batch: Batch | null = null;
    try {
      batch = await collector.collect(signal, hints);
      return batch;
    } finally {
      done(batch);
    }
  },
});
