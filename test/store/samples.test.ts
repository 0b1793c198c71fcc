import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { COLLECTOR_METRICS, GPU_METRICS, HOST_METRICS, RUN_METRICS } from '../../src/core/metrics.ts';
import type { Sample } from '../../src/core/sample.ts';
import { open, T0 } from './open-store.ts';

const gpu = (tick: number, values: Sample['values'] = { utilization: tick }): Sample => ({
  subject: 'gpu:GPU-a',
  at: T0 + tick * 1000,
  values,
});
const host = (tick: number): Sample => ({ subject: 'host:trainer', at: T0 + tick * 1000, values: { cpu: tick } });
const ticks = (count: number) => Array.from({ length: count }, (_, tick) => tick);

/** How many GPU samples the file holds, as another process sees it. */
const written = (path: string) => {
  const reader = new Database(path, { readonly: true });
  const count = reader.prepare('SELECT count(*) FROM gpu_samples').pluck().get();
  reader.close();
  return count;
};

t.test('the tables have exactly the metrics of the catalogue as columns', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  open(path).close();
  const db = new Database(path, { readonly: true });
  const columns = (table: string) =>
    db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table);
  // Columns come in the order of the migrations that brought them.
  const tables = { gpu: GPU_METRICS, host: HOST_METRICS, run: RUN_METRICS, collector: COLLECTOR_METRICS };
  for (const [kind, metrics] of Object.entries(tables)) {
    t.same(columns(`${kind}_samples`).sort(), ['at', 'subject', ...Object.keys(metrics)].sort());
  }
  db.close();
});

t.test('a sample is readable at once, complete with every metric of its catalogue', async (t) => {
  const store = open();
  const [added] = store.appendSamples([gpu(0, { utilization: 93, power: null })]);
  t.same(Object.keys(added?.values ?? {}), Object.keys(GPU_METRICS));
  t.match(added?.values, { utilization: 93, power: null, fan: null });
  t.same(store.samplesSince('gpu:GPU-a', T0), [added]);
  t.same(store.samplesSince('gpu:GPU-b', T0), []);
});

t.test('a sample that is not finite is stored as unknown', async (t) => {
  const store = open();
  store.appendSamples([gpu(0, { utilization: Number.NaN, power: Number.POSITIVE_INFINITY, fan: 30 })]);
  store.flushSamples();
  t.match(store.samplesSince('gpu:GPU-a', T0), [{ values: { utilization: null, power: null, fan: 30 } }]);
});

t.test('what is said twice is news once, in the tail, in the table and within one look', async (t) => {
  const store = open();
  t.equal(store.appendSamples([gpu(1), gpu(1), host(1)]).length, 2);
  t.equal(store.appendSamples([gpu(1), host(1)]).length, 0);
  store.flushSamples();
  t.equal(store.appendSamples([gpu(1), host(1)]).length, 0);
  t.equal(store.appendSamples([gpu(0), gpu(2)]).length, 2, 'earlier and later ones are new');
  t.equal(store.appendSamples([gpu(0), gpu(2)]).length, 0);
  store.flushSamples();
  t.same(
    store.samplesSince('gpu:GPU-a', T0).map(({ values }) => values.utilization),
    [0, 1, 2],
  );
});

t.test('the tail is written with its tenth tick, in one go', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  for (const tick of ticks(9)) store.appendSamples([gpu(tick), host(tick)]);
  t.equal(written(path), 0);
  store.appendSamples([gpu(9), host(9)]);
  t.equal(written(path), 10);
  store.close();
});

t.test('closing writes the tail, and after a restart everything is as before', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const before = open(path);
  for (const tick of ticks(13)) before.appendSamples([gpu(tick), host(tick)]);
  const samples = before.samplesSince('host:trainer', T0 + 3000);
  before.close();
  const after = open(path);
  t.equal(samples.length, 10);
  t.same(after.samplesSince('host:trainer', T0 + 3000), samples);
  t.same(after.appendSamples([gpu(12), gpu(3)]), []);
  after.close();
});

t.test('samples outlive a transaction that fails, and one that writes them before it fails', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  const fail = () =>
    store.transaction(() => {
      for (const tick of ticks(12)) store.appendSamples([gpu(tick)]);
      store.flushSamples();
      throw new Error('the caller changed its mind');
    });
  t.throws(fail, { message: 'the caller changed its mind' });
  t.equal(written(path), 0);
  t.equal(store.samplesSince('gpu:GPU-a', T0).length, 12);
  store.flushSamples();
  t.equal(written(path), 12);
  t.equal(store.samplesSince('gpu:GPU-a', T0).length, 12);
  store.close();
});

t.test('after the clock was set back the newest sample is the one that came last, also after a restart', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const hour = 3600;
  const before = open(path);
  before.saveHost({ name: 'trainer', os: null, cpuModel: null, cpuCores: 1, memoryTotal: 1 }, T0);
  const latest = (store = before) => store.listHosts()[0]?.latest?.cpu;
  before.appendSamples([host(hour)]);
  before.flushSamples();
  before.appendSamples([host(hour - 30)]);
  t.equal(latest(), hour, 'a little late is no change of the clock');
  before.appendSamples([host(10)]);
  t.equal(latest(), 10);
  before.appendSamples([host(11)]);
  t.equal(latest(), 11);
  before.close();

  const after = open(path);
  t.equal(latest(after), 11);
  t.same(after.appendSamples([host(hour), host(11)]), [], 'what is stored already is still no news');
  after.appendSamples([host(12)]);
  t.equal(latest(after), 12);
  t.same(
    after.samplesSince('host:trainer', T0).map(({ values }) => values.cpu),
    [10, 11, 12, hour - 30, hour],
  );
  after.close();
});
