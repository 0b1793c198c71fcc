import { join } from 'node:path';
import { createRunFolderCollector } from '../src/collectors/run/folder.ts';
import { createBus } from '../src/core/bus.ts';
import type { Clock } from '../src/core/clock.ts';
import type { EpochRow, Run } from '../src/core/run.ts';
import { createPipeline } from '../src/pipeline.ts';
import { createEngine } from '../src/rules/engine.ts';
import { RULES } from '../src/rules/registry.ts';
import { createRunTracker } from '../src/run-tracker.ts';
import { openStore } from '../src/store/open.ts';

/** A run as REST answers it, and its rows as they are stored. */
export type LookedAt = { readonly run: Run; readonly rows: readonly EpochRow[] };

const MIGRATIONS = join(import.meta.dirname, '../migrations');
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

const rethrow = (cause: unknown) => {
  throw cause;
};

/**
 * What the product says of each of these run folders when it first sees them at the moment `now`, and nobody else has
 * ever looked: the real collector, pipeline and rules on a store in memory. In the order of `paths`.
 */
export const lookOnce = async (paths: readonly string[], now: number): Promise<readonly LookedAt[]> => {
  const clock: Clock = { now: () => now, after: () => () => {} };
  const store = openStore({ path: ':memory:', migrations: MIGRATIONS });
  const bus = createBus(rethrow);
  let alerts = 0;
  const engine = createEngine({
    rules: RULES,
    newId: () => `a_${alerts++}`,
    onError: (_rule, _subject, error) => rethrow(error),
  });
  const host = 'trainer';
  const tracker = createRunTracker({ store, host, startedAt: now });
  const pipeline = createPipeline({
    store,
    engine,
    tracker,
    bus,
    clock,
    host,
    samplePeriodMs: 1000,
    onRun: () => {},
    onHeard: () => {},
    onRest: () => {},
  });
  try {
    const seen: LookedAt[] = [];
    for (const path of paths) {
      const collector = createRunFolderCollector(path, { clock, log: SILENT });
      pipeline.ingest(await collector.collect(AbortSignal.timeout(10_000)));
      const id = store.runAt(path, host) ?? '';
      const run = store.getRun(id);
      if (run === undefined) throw new Error(`${path}: expected a run folder`);
      seen.push({ run, rows: store.rowsOf(id) });
    }
    return seen;
  } finally {
    store.close();
  }
};
