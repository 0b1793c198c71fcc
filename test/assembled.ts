import { join } from 'node:path';
import type { ObservedRow, ObservedRun } from '../src/core/batch.ts';
import { createBus } from '../src/core/bus.ts';
import type { Clock } from '../src/core/clock.ts';
import type { Store, StreamEvent } from '../src/core/ports.ts';
import { createPipeline } from '../src/pipeline.ts';
import { createEngine } from '../src/rules/engine.ts';
import { RULES } from '../src/rules/registry.ts';
import { createRunTracker } from '../src/run-tracker.ts';
import { openStore } from '../src/store/open.ts';

export const T0 = 1_757_427_471_000;
const MIGRATIONS = join(import.meta.dirname, '../migrations');
export const GPU = {
  uuid: 'GPU-a',
  index: 0,
  name: 'NVIDIA A100',
  driver: '550',
  memoryTotal: 2 ** 35,
  powerLimit: 250,
};

/** The real parts on a real store, with a clock that the test sets. */
export const assemble = (path = ':memory:', store: Store = openStore({ path, migrations: MIGRATIONS })) => {
  const time = { now: T0 };
  const clock: Clock = { now: () => time.now, after: () => () => {} };
  const events: StreamEvent[] = [];
  const bus = createBus((error) => {
    throw error;
  });
  bus.subscribe((event) => events.push(event));
  let alerts = 0;
  const engine = createEngine({
    rules: RULES,
    newId: () => `a_${time.now}_${alerts++}`,
    onError: (_rule, _subject, error) => {
      throw error;
    },
  });
  const tracker = createRunTracker({ store, host: 'trainer', startedAt: T0 });
  const pipeline = createPipeline({
    store,
    engine,
    tracker,
    bus,
    clock,
    host: 'trainer',
    samplePeriodMs: 1000,
    onRun: () => {},
    onHeard: () => {},
    onRest: () => {},
  });
  pipeline.reload();
  return { time, events, store, pipeline };
};

export const row = (epoch: number, at: number, over: Partial<ObservedRow> = {}): ObservedRow => ({
  fileAttempt: 0,
  fileAttemptKind: 'start',
  epoch,
  at,
  atSource: 'mtime',
  elapsedS: epoch * 60,
  metrics: { 'train/box_loss': 1 / epoch, 'val/box_loss': 1.1 / epoch, 'metrics/mAP50(B)': 1 - 1 / epoch },
  ...over,
});

export const run = (rows: readonly ObservedRow[], over: Partial<ObservedRun> = {}): ObservedRun => ({
  path: '/runs/detect/train',
  folder: { device: 1, inode: 7, bornAt: null },
  args: { task: 'detect', mode: 'train', model: 'yolo11n.pt', epochs: 100, patience: 0, device: 0 },
  argsAt: T0,
  results: { generation: 'g1', inode: 8, fresh: false, mtimeAt: T0, size: 1, rowsKeptOut: 0, epochsPlanned: null },
  rows,
  resultsPngAt: null,
  activityAt: rows.at(-1)?.at ?? T0,
  ...over,
});
