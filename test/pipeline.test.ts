import { join } from 'node:path';
import t from 'tap';
import type { Batch, ObservedRow } from '../src/core/batch.ts';
import type { StreamEvent } from '../src/core/ports.ts';

import { assemble, GPU, row, run, T0 } from './assembled.ts';

const nan = {
  metrics: { 'train/box_loss': null, 'metrics/mAP50(B)': 0 },
  nonFinite: { 'train/box_loss': 'nan' },
} as const;

t.test('a row of a living run is an event of its own, then the run, then the alert that it raises', async (t) => {
  const { time, events, store, pipeline } = assemble();
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0)])] });
  time.now = T0 + 60_000;
  events.length = 0;
  pipeline.ingest({ runs: [run([row(2, time.now, nan)])] });
  t.same(
    events.map((event) => event.topic),
    ['epochs', 'runs', 'alerts'],
  );
  t.match(events[2]?.data, { rule: 'loss_nan', severity: 'critical', state: 'firing', epochs: [2, 2] });
  t.equal(events.at(-1)?.cursor, store.cursor(), 'and the store is at the cursor of the last of them');
});

t.test('the same look twice changes nothing and tells nobody', async (t) => {
  const { events, store, pipeline } = assemble();
  t.teardown(() => store.close());
  const batch: Batch = { runs: [run([row(1, T0), row(2, T0 + 60_000)])] };
  pipeline.ingest(batch);
  const cursor = store.cursor();
  events.length = 0;
  pipeline.ingest(batch);
  t.same(events, []);
  t.equal(store.cursor(), cursor);
});

t.test('an epoch told between two looks at the folder is a row like any other', async (t) => {
  const { store, pipeline, events } = assemble();
  pipeline.ingest({ runs: [run([], { results: null })] });
  const output = { path: run([]).path, source: '/runs/detect/train/signalbox.ndjson', generation: 'g', writtenAt: T0 };
  for (const epoch of [1, 2]) {
    const event = { kind: 'epoch', t: T0, epoch, elapsedS: 60, metrics: { 'train/box_loss': 'nan' } } as const;
    pipeline.ingest({ outputs: [{ ...output, events: [{ offset: epoch, event }] }] });
  }
  const [said] = store.listRuns({ limit: 1 }).items;
  const row = { elapsedS: 60, nonFinite: { 'train/box_loss': 'nan' } };
  t.match(store.rowsOf(said?.id ?? ''), [
    { ...row, epoch: 1 },
    { ...row, epoch: 2 },
  ]);
  t.equal(events.filter(({ topic }) => topic === 'epochs').length, 2);
  t.equal(said?.epochs, 2);
});

t.test('an old run gives one runs event; its alerts are kept as resolved and told to nobody', async (t) => {
  const { time, events, store, pipeline } = assemble();
  t.teardown(() => store.close());
  time.now = T0 + 30 * 86_400_000;
  const rows = Array.from({ length: 100 }, (_, i) => row(i + 1, T0 + i * 60_000, i === 49 ? nan : {}));
  pipeline.ingest({ runs: [run(rows)] });
  t.same(
    events.map((event) => event.topic),
    ['runs'],
  );
  while (pipeline.judgeOld());
  const { items } = store.listAlerts({ limit: 10 });
  const cause = items.find(({ rule }) => rule === 'loss_nan');
  t.match(cause, { state: 'resolved', backfilled: true, epochs: [50, 50] });
  t.equal(cause?.firedAt, T0 + 49 * 60_000, 'judged in its own time');
  t.match(
    items.filter((alert) => alert !== cause),
    [{ rule: 'map_collapse', state: 'resolved', backfilled: true, inhibitedBy: cause?.id }],
    'what follows from it names it',
  );
});

t.test('rows that a living run wrote while the service was down are events like any other', async (t) => {
  const path = join(t.testdir({}), 'history.db');
  const before = assemble(path);
  before.pipeline.ingest({ runs: [run([row(1, T0)])] });
  const { cursor } = before.events.at(-1) ?? {};
  before.store.close();

  const { time, events, store, pipeline } = assemble(path);
  t.teardown(() => store.close());
  time.now = T0 + 120_000;
  pipeline.ingest({ runs: [run([row(1, T0), row(2, T0 + 60_000), row(3, T0 + 120_000)])] });
  t.same(
    events
      .filter((event) => event.topic === 'epochs')
      .map((event) => ('epoch' in event.data ? event.data.epoch : null)),
    [2, 3],
  );
  const missed = store.eventsAfter(cursor ?? '', { topics: ['epochs'], limit: 10 });
  t.equal(missed?.events.length, 2, 'and a client with its cursor gets them');
});

const unprintable: Record<string, unknown> = {};
unprintable.self = unprintable;
const topics = (events: readonly StreamEvent[]) => events.map((event) => event.topic);

t.test('a row that cannot be written is told to nobody, and is judged once when it comes again', async (t) => {
  const { time, events, store, pipeline } = assemble();
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0)])] });
  time.now = T0 + 60_000;
  events.length = 0;
  // No reader gives this: it stands for a disk that fails in the middle of a step.
  const unwritable = { ...row(2, time.now, nan), nonFinite: unprintable } as unknown as ObservedRow;
  t.throws(() => pipeline.ingest({ runs: [run([unwritable])] }), /circular/);
  t.same(events, []);
  const [id] = store.listRuns({ limit: 1 }).items.map((item) => item.id);
  t.equal(store.rowsOf(id ?? '').length, 1);

  pipeline.reload();
  pipeline.ingest({ runs: [run([row(1, T0), row(2, time.now, nan)])] });
  t.same(topics(events), ['epochs', 'runs', 'alerts']);
});

t.test('what follows from a row is made up for when its own write failed', async (t) => {
  const { time, events, store, pipeline } = assemble();
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0)])] });
  time.now = T0 + 60_000;
  events.length = 0;
  const rows = [row(1, T0), row(2, time.now, nan)];
  t.throws(() => pipeline.ingest({ runs: [run(rows, { args: unprintable })] }), /circular/);
  t.same(topics(events), ['epochs'], 'the row itself is stored and told');
  pipeline.reload();
  pipeline.ingest({ runs: [run(rows)] });
  pipeline.ingest({ runs: [run(rows)] });
  t.same(topics(events), ['epochs', 'runs', 'alerts'], 'and, once, what follows from it');
});

t.test('a kill between a row and what follows from it costs nothing: the next start makes up for it', async (t) => {
  const path = join(t.testdir({}), 'history.db');
  const before = assemble(path);
  before.pipeline.ingest({ runs: [run([row(1, T0)])] });
  // The first step alone, as the kill leaves it.
  before.store.observeRun(run([row(1, T0), row(2, T0 + 60_000, nan)]), 'trainer', T0 + 60_000);
  before.store.close();

  const { time, events, store, pipeline } = assemble(path);
  t.teardown(() => store.close());
  time.now = T0 + 61_000;
  pipeline.ingest({ runs: [run([row(1, T0), row(2, T0 + 60_000, nan)])] });
  t.match(events, [{ topic: 'runs' }, { topic: 'alerts', data: { rule: 'loss_nan', epochs: [2, 2] } }]);
});

/** Lets the time pass as it does: with a judging round every few seconds. */
const pass = ({ time, pipeline }: ReturnType<typeof assemble>, ms: number) => {
  for (const until = time.now + ms; time.now < until; ) {
    time.now = Math.min(until, time.now + 5000);
    pipeline.judge();
  }
};

t.test('a silent run stalls by the clock alone, and its end resolves what is open', async (t) => {
  const parts = assemble();
  const { time, events, store, pipeline } = parts;
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0), row(2, T0 + 60_000, nan)])] });
  time.now = T0 + 60_000;
  pipeline.judge();
  events.length = 0;
  pass(parts, 185_000);
  t.match(events, [{ topic: 'runs', data: { state: 'stalled' } }]);
  pass(parts, 10 * 60_000);
  t.match(events.slice(1), [
    { topic: 'runs', data: { state: 'stopped' } },
    { topic: 'alerts', data: { rule: 'loss_nan', state: 'resolved' } },
  ]);
  t.same(store.openAlerts(), []);
  t.same(
    store.ruleStates().filter(({ subject }) => subject.startsWith('run:')),
    [],
  );
});

t.test('a machine that slept, or a clock that was set, is no silence of the run', async (t) => {
  const parts = assemble();
  const { time, events, store, pipeline } = parts;
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0), row(2, T0 + 60_000)])] });
  time.now = T0 + 60_000;
  pipeline.judge();
  events.length = 0;
  time.now += 10 * 3_600_000;
  pipeline.judge();
  t.same(events, []);
  pass(parts, 185_000);
  t.match(events, [{ data: { state: 'stalled' } }], 'but silence counts again from then on');
});

t.test('a new folder at the path of a living run ends that run and is one of its own', async (t) => {
  const { time, events, store, pipeline } = assemble();
  t.teardown(() => store.close());
  pipeline.ingest({ runs: [run([row(1, T0), row(2, T0 + 60_000)])] });
  time.now = T0 + 70_000;
  events.length = 0;
  pipeline.ingest({ runs: [run([row(1, time.now)], { folder: { device: 1, inode: 99, bornAt: null } })] });
  const { items } = store.listRuns({ limit: 10 });
  t.same(items.map(({ state, stateReason, epochs }) => [state, stateReason, epochs]).sort(), [
    ['running', null, 1],
    ['stopped', 'folder_replaced', 2],
  ]);
});

t.test('a run that was active and whose folder is gone at the next start is ended', async (t) => {
  const path = join(t.testdir({}), 'history.db');
  const before = assemble(path);
  before.pipeline.ingest({ runs: [run([row(1, T0)])] });
  before.store.close();
  const { events, store, pipeline } = assemble(path);
  t.teardown(() => store.close());
  pipeline.endUnseen();
  t.match(events, [{ topic: 'runs', data: { state: 'stopped', stateReason: 'folder_gone', etaAt: null } }]);
  pipeline.endUnseen();
  t.equal(events.length, 1);
});

t.test('a GPU sample carries the run of its GPU and the memory that the run holds on it', async (t) => {
  const { events, store, pipeline } = assemble();
  t.teardown(() => store.close());
  const process = { gpuUuid: 'GPU-a', pid: 42, memory: 2 ** 30, user: 'ann', command: 'python', cwd: '/runs' };
  pipeline.ingest({ gpus: [GPU], runs: [run([row(1, T0)])] });
  pipeline.ingest({ processes: [{ ...process, startedAt: T0 - 1000, openFolders: [] }] });
  const [id] = store.listRuns({ limit: 1 }).items.map((item) => item.id);
  events.length = 0;
  pipeline.ingest({ samples: [{ subject: 'gpu:GPU-a', at: T0 + 1000, values: { utilization: 97, throttle: 4 } }] });
  t.match(events, [
    {
      topic: 'gpu',
      gpu: 0,
      run: id,
      data: { utilization: 97, throttle: ['sw_power_cap'], runMemory: 2 ** 30, fan: null },
    },
  ]);
  t.match(store.getRun(id ?? ''), { gpus: ['gpu:0'], pids: [42] });
  t.match(store.listGpus(), [{ run: id, processes: [{ pid: 42, run: id }] }]);
});
