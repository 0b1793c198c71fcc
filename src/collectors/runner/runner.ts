import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Batch, Collector, CollectorHealth } from '../../core/ports.ts';
import { createLogOnce } from './log.ts';
import { createLooker, type Looker } from './looker.ts';

/** What the runner is given. */
export type RunnerParts = {
  readonly clock: Clock;
  readonly log: Log;
  /** `always`: no hints are asked for, looks come by the clock alone. */
  readonly polling: 'auto' | 'always';
  /** Takes what a look found. When it throws, the collector is told to say everything again, and backs off. */
  readonly ingest: (batch: Batch, collectorName: string) => void;
};

/** Lets collectors look: when their time has come, when a hint says so, and never two looks of one at once. */
export type Runner = {
  /** Its first look begins at once. Throws when a collector of this name is there already. */
  readonly add: (collector: Collector) => void;
  /** Nothing of it is ingested any more. Its name is free at once, what it holds is closed soon after. */
  readonly remove: (name: string) => void;
  readonly health: () => readonly CollectorHealth[];
  /** Aborts what is under way and waits for it, at most 2 s. */
  readonly close: () => Promise<void>;
};

const CLOSE_WITHIN_MS = 2000;

/** Starts empty; see {@link Runner}. */
export const createRunner = ({ clock, log, polling, ingest }: RunnerParts): Runner => {
  const lookers = new Map<string, Looker>();
  const closing = new Set<Promise<void>>();
  const logOnce = createLogOnce(log);

  const remove = (name: string) => {
    const looker = lookers.get(name);
    if (looker === undefined) return;
    lookers.delete(name);
    const closed = looker
      .close()
      .catch((error: unknown) => log.warn({ collector: name, err: error }, 'a collector did not close'))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };

  return {
    add: (collector) => {
      if (lookers.has(collector.name))
        throw new Error(`collector ${collector.name}: there is one of this name already`);
      lookers.set(collector.name, createLooker({ collector, clock, polling, logOnce, ingest }));
    },
    remove,
    health: () => [...lookers.values()].map((looker) => looker.health()),
    close: async () => {
      for (const name of [...lookers.keys()]) remove(name);
      const late = new AbortController();
      const waited = setTimeout(CLOSE_WITHIN_MS, undefined, { signal: late.signal }).catch(() => {});
      await Promise.race([Promise.all(closing), waited]);
      late.abort();
    },
  };
};
