import { join } from 'node:path';
import t from 'tap';
import type { ObservedOutput } from '../src/core/batch.ts';
import type { RunEvent } from '../src/core/trace.ts';
import { assemble, row, run, T0 } from './assembled.ts';

/** The console of the run: process 7 began, and then what follows. */
const output = (...lines: readonly RunEvent[]): ObservedOutput => ({
  path: '/runs/detect/train',
  source: 'train.log',
  generation: 'g',
  writtenAt: T0,
  events: [{ t: T0, kind: 'start' as const, pid: 7 }, ...lines].map((event, offset) => ({ offset, event })),
});
const life = (state: string | null) => ({ pid: 7, startedAt: state === null ? null : T0 - 5000, state });

t.test('a training that died while the service was down ends as soon as it is up', async (t) => {
  const path = join(t.testdir({}), 'history.db');
  const before = assemble(path);
  before.pipeline.ingest({ runs: [run([row(1, T0)])], outputs: [output()] });
  before.pipeline.ingest({ lives: [life('S')] });
  t.match(before.store.listRuns({ limit: 1 }).items, [{ state: 'running', pids: [7] }]);
  before.store.close();

  const { time, store, pipeline } = assemble(path);
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0)])], outputs: [output()] });
  pipeline.ingest({ lives: [life(null)] });
  time.now += 3000;
  pipeline.judge();
  t.match(store.listRuns({ limit: 1 }).items, [{ state: 'failed', stateReason: 'process_gone' }]);
});

t.test('a living training does not fail by what it printed, neither after a restart of the service', async (t) => {
  const path = join(t.testdir({}), 'history.db');
  const traceback = output({ t: T0, kind: 'end', reason: 'exception', error: 'ValueError: survived' });
  const before = assemble(path);
  before.pipeline.ingest({ runs: [run([row(1, T0)])], outputs: [output()] });
  before.pipeline.ingest({ lives: [life('S')] });
  before.pipeline.ingest({ outputs: [traceback] });
  t.match(before.store.listRuns({ limit: 1 }).items, [{ state: 'running' }]);
  before.store.close();

  const { store, pipeline } = assemble(path);
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0)])], outputs: [traceback] });
  pipeline.ingest({ lives: [life('S')] });
  t.match(store.listRuns({ limit: 1 }).items, [{ state: 'running', pids: [7] }]);
});

t.test('a run whose folder is gone has ended, and lives again when the folder is back', async (t) => {
  const { store, pipeline } = assemble();
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0)])] });
  pipeline.ingest({ goneFolders: ['/runs/detect/train'] });
  t.match(store.listRuns({ limit: 1 }).items, [{ state: 'stopped', stateReason: 'folder_gone' }]);
  pipeline.ingest({ runs: [run([])] });
  t.match(store.listRuns({ limit: 1 }).items, [{ state: 'running' }]);
});

t.test(
  'a log that was overwritten by a resume speaks of the resume, though it begins with the same line',
  async (t) => {
    const { store, pipeline } = assemble();
    t.teardown(() => store.close());
    const failed = output({ t: T0, kind: 'end', reason: 'exception', error: 'ValueError: first attempt' });
    pipeline.ingest({ runs: [run([row(1, T0)])], outputs: [{ ...failed, size: 900 }] });
    t.match(store.listRuns({ limit: 1 }).items, [{ state: 'failed' }]);
    const again: RunEvent = { t: T0 + 1000, kind: 'start', pid: 8 };
    pipeline.ingest({ outputs: [{ ...output(), size: 0, events: [{ offset: 0, event: again }] }] });
    t.match(store.listRuns({ limit: 1 }).items, [{ state: 'running' }]);
  },
);

t.test('a script that trains one model after the other keeps none but the last alive', async (t) => {
  const { time, store, pipeline } = assemble();
  t.teardown(() => store.close());
  const script = { pid: 7, startedAt: T0 - 5000 };
  const [first, second] = [run([row(1, T0)]), { ...run([row(1, T0)]), path: '/runs/detect/train2' }];
  const other = { ...second, folder: { ...second.folder, inode: 99 } };
  pipeline.ingest({ runs: [first], launches: [{ path: first.path, ...script }] });
  pipeline.ingest({ lives: [life('S')] });
  t.match(store.listRuns({ limit: 1 }).items, [{ path: first.path, pids: [7] }]);
  pipeline.ingest({ runs: [other], launches: [{ path: other.path, ...script }] });
  pipeline.ingest({ lives: [life('S')] });
  for (let silentS = 0; silentS < 600; silentS += 5) {
    time.now += 5000;
    pipeline.ingest({ lives: [life('S')] });
    pipeline.judge();
  }
  const states = new Map(store.listRuns({ limit: 2 }).items.map(({ path, state, pids }) => [path, { state, pids }]));
  t.match(states.get(other.path), { state: 'stalled', pids: [7] });
  t.match(states.get(first.path), { pids: [] });
});

t.test('rows that come to a run after its end leave no alert open', async (t) => {
  const { time, store, pipeline } = assemble();
  t.teardown(() => store.close());
  time.now = T0 + 30 * 86_400_000;
  const nan = { metrics: { 'train/box_loss': null }, nonFinite: { 'train/box_loss': 'nan' } } as const;
  const args = { ...run([]).args, epochs: 3 };
  pipeline.ingest({ runs: [run([row(1, T0)], { args })] });
  while (pipeline.judgeOld());
  pipeline.ingest({ runs: [run([row(2, T0 + 60_000), row(3, T0 + 120_000, nan)], { args })] });
  t.match(store.listRuns({ limit: 1 }).items, [{ state: 'finished', epochs: 3 }]);
  t.match(store.listAlerts({ limit: 10 }).items, [{ rule: 'loss_nan', state: 'resolved' }]);
});
