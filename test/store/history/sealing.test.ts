import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import t from 'tap';
import type { Store } from '../../../src/core/ports.ts';
import { open } from '../open-store.ts';
import { START, samplesOf, sealedBy } from './sealing-samples.ts';

const HOUR = 3_600_000;
const A = 'gpu:GPU-a';
const B = 'gpu:GPU-b';

/** Maintains until nothing is left to do. */
const maintainAll = async (store: Store, now = sealedBy): Promise<void> => {
  while (store.maintain(now)) await store.settled();
};

const countIn = (path: string, sql: string): number => {
  const db = new Database(path, { readonly: true });
  try {
    return Number(db.prepare(sql).pluck().get());
  } finally {
    db.close();
  }
};
const HOT = 'SELECT count(*) FROM gpu_samples';
const SEALED = 'SELECT total(rows) FROM raw_chunks';

/** All samples of a subject, as one text: comparing thousands of objects takes seconds. */
const textOf = (store: Store, subject: string): string => JSON.stringify(store.samplesSince(subject, 0));

/** What the hours of a subject hold, by the coarsest tier. */
const hoursOf = async (store: Store, subject: string) => {
  const edges = Array.from({ length: 13 }, (_, i) => START + i * HOUR);
  const query = { metrics: ['utilization', 'energy'], from: START, to: START + 12 * HOUR, edges, further: [] };
  return (await store.history(subject, query)).metrics;
};

t.test('what is sealed reads back as it was written, and its hot rows are gone', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  t.teardown(store.close);
  const samples = [...samplesOf(A, 1, 2500), ...samplesOf(B, 2, 2500)];
  store.appendSamples(samples);
  store.flushSamples();
  const written = [A, B].map((subject) => textOf(store, subject));
  const hours = await hoursOf(store, A);
  await maintainAll(store);
  t.equal(countIn(path, HOT), 0);
  t.equal(countIn(path, SEALED), samples.length);
  t.ok([A, B].every((subject, i) => textOf(store, subject) === written[i]));
  const after = await hoursOf(store, A);
  t.same(after.utilization, hours.utilization);
  t.same(
    [after.energy?.min, after.energy?.max, after.energy?.count],
    [hours.energy?.min, hours.energy?.max, hours.energy?.count],
  );
  t.equal(store.appendSamples(samples).length, 0, 'a source that repeats itself brings nothing new');
});

t.test('an hour stays hot until five minutes after its end', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  t.teardown(store.close);
  store.appendSamples(samplesOf(A, 1, 300));
  store.flushSamples();
  await maintainAll(store, START + HOUR + 299_999);
  t.equal(countIn(path, SEALED), 0);
  await maintainAll(store, START + HOUR + 300_000);
  t.equal(countIn(path, SEALED), 300);
});

t.test('samples that come late are sealed with their hour, each once', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  t.teardown(store.close);
  const all = samplesOf(A, 3, 1500);
  const late = all.filter((_, i) => i % 7 === 3);
  store.appendSamples(all.filter((_, i) => i % 7 !== 3));
  await maintainAll(store);
  store.appendSamples(late);
  store.flushSamples();
  const known = () => store.samplesSince(A, 0).map(({ at }) => at);
  t.same(
    known(),
    all.map(({ at }) => at),
    'while they are hot',
  );
  const hot = await hoursOf(store, A);
  await maintainAll(store);
  t.same(
    known(),
    all.map(({ at }) => at),
  );
  t.equal(countIn(path, SEALED), all.length);
  t.equal(countIn(path, HOT), 0);
  t.same((await hoursOf(store, A)).utilization?.count, hot.utilization?.count);
});

t.test('a sample that comes while its hour is being sealed is neither lost nor counted twice', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  t.teardown(store.close);
  const all = samplesOf(A, 4, 300);
  const [first, ...others] = all;
  if (first === undefined) throw new Error('no samples');
  store.appendSamples(others);
  t.equal(store.maintain(sealedBy), true);
  store.appendSamples([first]);
  await store.settled();
  t.equal(countIn(path, SEALED), 0, 'what the worker read is not the whole hour any more');
  await maintainAll(store);
  t.equal(countIn(path, SEALED), all.length);
  t.same((await hoursOf(store, A)).energy?.count.at(0), all.filter(({ values }) => values.energy !== null).length);
});

t.test('an hour whose samples are not kept any more takes no late ones', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const samples = samplesOf(A, 5, 300);
  const first = open(path);
  first.appendSamples(samples);
  await maintainAll(first);
  first.close();
  const db = new Database(path);
  db.exec('DELETE FROM raw_chunks');
  db.close();
  const store = open(path);
  t.teardown(store.close);
  t.equal(store.appendSamples(samples).length, 0);
  t.equal(
    (await hoursOf(store, A)).utilization?.count[0],
    samples.filter(({ values }) => values.utilization !== null).length,
  );
});

for (const when of ['within', 'after']) {
  t.test(`killed ${when} any step, nothing is lost and nothing counts twice`, async (t) => {
    const samples = samplesOf(A, 6, 1900);
    const made = join(t.testdir(), 'reference.db');
    const reference = open(made);
    t.teardown(reference.close);
    reference.appendSamples(samples);
    const written = textOf(reference, A);
    const hours = await hoursOf(reference, A);
    for (const steps of [1, 2, 4]) {
      const path = join(t.testdir(), `${steps}.db`);
      const before = open(path);
      before.appendSamples(samples);
      before.close();
      const sealer = fileURLToPath(new URL('child-sealer.ts', import.meta.url));
      const child = spawnSync(process.execPath, [sealer, path, String(steps), when], { encoding: 'utf8' });
      t.equal(child.signal, 'SIGKILL', child.stderr);
      const store = open(path);
      t.ok(textOf(store, A) === written, `samples, killed at step ${steps}`);
      t.same((await hoursOf(store, A)).utilization, hours.utilization, `hours, killed at step ${steps}`);
      await maintainAll(store);
      t.ok(textOf(store, A) === written, `samples sealed after step ${steps}`);
      t.same((await hoursOf(store, A)).utilization, hours.utilization, `hours sealed after step ${steps}`);
      store.close();
      t.equal(countIn(path, HOT), 0);
      t.equal(countIn(path, SEALED), samples.length);
    }
  });
}
