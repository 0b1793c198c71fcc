import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { open } from '../open-store.ts';
import { evenQuery, maintainFully } from './reference.ts';
import { START, samplesOf, sealedBy } from './sealing-samples.ts';

const HOUR = 3_600_000;
const A = 'gpu:GPU-a';
const B = 'gpu:GPU-b';

const change = (path: string, sql: string): void => {
  const db = new Database(path);
  db.exec(sql);
  db.close();
};
const read = (path: string, sql: string): unknown => {
  const db = new Database(path, { readonly: true });
  const value = db.prepare(sql).pluck().get();
  db.close();
  return value;
};

t.test('rows that a kill left hot beside their chunk count once, and go after a restart', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const samples = samplesOf(A, 1, 1500);
  const first = open(path);
  first.appendSamples(samples);
  first.flushSamples();
  const written = first.samplesSince(A, 0);
  change(path, 'CREATE TABLE copy AS SELECT * FROM gpu_samples');
  await maintainFully(first, sealedBy);
  first.close();
  change(path, 'INSERT INTO gpu_samples SELECT * FROM copy; DROP TABLE copy');

  const store = open(path);
  t.teardown(store.close);
  const query = evenQuery({ from: START, to: START + 12 * HOUR, stepMs: HOUR }, { metrics: ['power'] });
  const count = async () => (await store.history(A, query)).metrics.power?.count.reduce((a, b) => a + b);
  t.equal(await count(), samples.length);
  t.same(store.samplesSince(A, 0), written);
  await maintainFully(store, sealedBy);
  t.equal(await count(), samples.length);
  t.equal(read(path, 'SELECT count(*) FROM gpu_samples'), 0);
});

t.test('a damaged hour is named, keeps its late samples, and holds up no other', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const first = open(path);
  const samples = samplesOf(A, 2, 600);
  const isLate = (at: number) => at % 60_000 < 5000;
  first.appendSamples(samples.filter(({ at }) => !isLate(at)));
  await maintainFully(first, sealedBy);
  first.appendSamples([...samples.filter(({ at }) => isLate(at)), ...samplesOf(B, 3, 600)]);
  first.close();
  change(path, `UPDATE raw_chunks SET body = x'ff' WHERE start = ${START}`);

  const store = open(path);
  t.teardown(store.close);
  t.equal(store.maintain(sealedBy), true);
  await store.settled();
  t.throws(() => store.maintain(sealedBy), { message: /the hour of gpu:GPU-a from 2025-09-09T13:00/ });
  await maintainFully(store, sealedBy);
  const late = samples.filter(({ at }) => isLate(at) && at < START + HOUR);
  t.equal(read(path, 'SELECT count(*) FROM gpu_samples'), late.length, 'all others are sealed');
  t.equal(store.samplesSince(B, 0).length, 600);
  const newest = (samples.at(-1)?.at ?? 0) + 1000;
  t.equal(store.appendSamples([{ subject: A, at: newest, values: { power: 1 } }]).length, 1, 'and it goes on');
});

t.test('after a restart the rollups of what is hot are what they were before', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const before = open(path);
  before.appendSamples(samplesOf(A, 4, 1500));
  const query = evenQuery(
    { from: START, to: START + 3 * HOUR, stepMs: 60_000 },
    { metrics: ['power', 'utilization'], further: ['last', 'p50', 'p95'] },
  );
  const answer = await before.history(A, query);
  before.close();
  const after = open(path);
  t.teardown(after.close);
  t.same(await after.history(A, query), answer);
});
