import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import type { FurtherAggregate } from '../../../src/core/history.ts';
import { open, T0 } from '../open-store.ts';
import { evenQuery, maintainFully, naiveHistory } from './reference.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SUBJECT = 'gpu:GPU-a';
const START = Date.UTC(2025, 8, 9, 10);
const RANGE = { from: START, to: START + 3 * HOUR };

/** Three hours, every 5 s: utilization and power go up and down, the counter grows by 10 a second. */
const SAMPLES = Array.from({ length: 2160 }, (_, i) => ({
  subject: SUBJECT,
  at: START + 5000 * i,
  values: { utilization: (i * 7) % 101, power: (i * 13) % 400, energy: 50 * i },
}));

/** All sealed, and then of the given tables nothing is kept. */
const openAfterLoss = async (t: Test, tables: readonly string[]) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  t.teardown(store.close);
  store.appendSamples(SAMPLES);
  await maintainFully(store, START + 9 * HOUR);
  const db = new Database(path);
  for (const table of tables) db.exec(`DELETE FROM ${table}`);
  db.close();
  return store;
};
const ask = (stepMs: number, metrics: readonly string[], further: readonly FurtherAggregate[] = []) =>
  evenQuery({ ...RANGE, stepMs }, { metrics, further });

t.test('what minutes tell exactly is told when the samples are gone', async (t) => {
  const store = await openAfterLoss(t, ['raw_chunks']);
  for (const stepMs of [MINUTE, 10 * MINUTE, HOUR]) {
    const query = ask(stepMs, ['utilization', 'power'], ['last']);
    t.same((await store.history(SUBJECT, query)).metrics, naiveHistory(SAMPLES, query));
  }
  const byMinute = ask(MINUTE, ['utilization'], ['p5', 'p50', 'p95']);
  t.same((await store.history(SUBJECT, byMinute)).metrics, naiveHistory(SAMPLES, byMinute), 'percentiles are exact');
});

t.test('percentiles without samples are near and say so, or say why there are none', async (t) => {
  const store = await openAfterLoss(t, ['raw_chunks']);
  const query = ask(10 * MINUTE, ['utilization', 'power'], ['p5', 'p50', 'p95']);
  const { metrics, absent } = await store.history(SUBJECT, query);
  const exact = naiveHistory(SAMPLES, query);
  t.equal(metrics.utilization?.approximate, true);
  for (const name of ['p5', 'p50', 'p95'] as const) {
    const off = (metrics.utilization?.[name] ?? []).map((value, i) =>
      Math.abs((value ?? Number.NaN) - (exact.utilization?.[name]?.[i] ?? Number.NaN)),
    );
    t.equal(off.length, 18);
    t.ok(off.every((points) => points < 5));
    t.ok(metrics.power?.[name]?.every((value) => value === null));
    t.match(absent?.[`power.${name}`], /not kept any more/);
  }
});

t.test('where only hours are left, each counts once and whole in the bucket in which it begins', async (t) => {
  const store = await openAfterLoss(t, ['raw_chunks', 'minute_chunks']);
  const query = ask(30 * MINUTE, ['power']);
  const { metrics } = await store.history(SUBJECT, query);
  t.same(metrics.power?.count, [720, 0, 720, 0, 720, 0]);
  t.same(metrics.power?.avg[1], null);
});

for (const [lost, step] of [
  [[], 0],
  [['raw_chunks'], MINUTE],
  [['raw_chunks', 'minute_chunks'], HOUR],
] as const) {
  t.test(`the finest step of what has ${lost.length} tiers less is ${step} ms`, async (t) => {
    const store = await openAfterLoss(t, lost);
    t.equal(store.finestStep(SUBJECT, RANGE), step);
    t.equal(store.finestStep('gpu:GPU-none', RANGE), 0);
  });
}

t.test('a steady counter has a steady rate in every tier, and no rate across a gap', async (t) => {
  const store = open();
  t.teardown(store.close);
  const gap = (at: number) => at >= START + HOUR + 20 * MINUTE && at < START + HOUR + 40 * MINUTE;
  // Begins again from 0 in the middle of an hour.
  const resetAt = START + 2 * HOUR + 30 * MINUTE;
  const samples = SAMPLES.filter(({ at }) => !gap(at)).map((sample) => ({
    ...sample,
    values: { energy: (sample.at - (sample.at < resetAt ? START - HOUR : resetAt - 5000)) / 100 },
  }));
  store.appendSamples(samples);
  for (const now of [START, START + 9 * HOUR]) {
    await maintainFully(store, now);
    for (const stepMs of [5000, MINUTE, 10 * MINUTE, HOUR]) {
      const query = ask(stepMs, ['energy'], ['rate']);
      const { t: starts, metrics } = await store.history(SUBJECT, query);
      const inGap = (start: number) => gap(start) && gap(start + stepMs - 5000);
      // The first minute, and that after the gap, have one growth less than they have samples.
      const isFirst = (start: number) => start === START || (gap(start - MINUTE) && !gap(start)) || stepMs === HOUR;
      const wrong = (metrics.energy?.rate ?? []).filter((rate, i) => {
        const start = starts[i] ?? 0;
        if (inGap(start)) return rate !== null;
        if (isFirst(start)) return rate !== null && !(rate > 9 && rate <= 10 + 1e-9);
        return !(Math.abs((rate ?? Number.NaN) - 10) < 1e-9);
      });
      t.same(wrong, [], `${stepMs} ms`);
    }
  }
});

t.test('a rate of what is no counter is null, and says why', async (t) => {
  const store = await openAfterLoss(t, []);
  const { metrics, absent } = await store.history(SUBJECT, ask(HOUR, ['power'], ['rate']));
  t.same(metrics.power?.rate, [null, null, null]);
  t.match(absent?.['power.rate'], /counter/);
});

t.test('statistics of windows are the same before and after sealing, and say when they are approximate', async (t) => {
  const store = open();
  t.teardown(store.close);
  store.appendSamples(SAMPLES);
  const windows = [
    [RANGE],
    [
      { from: START + 1234, to: START + HOUR },
      { from: START + 90 * MINUTE, to: RANGE.to },
    ],
    [],
  ];
  const query = { metrics: ['utilization', 'power'], windows, below: 30 };
  const hot = await store.windowStatistics(SUBJECT, query);
  t.equal(hot[0]?.metrics.utilization?.count, SAMPLES.length);
  t.equal(hot[0]?.energyWh, (50 * (SAMPLES.length - 1)) / 3600);
  t.equal(hot[2]?.coverage, null);
  await maintainFully(store, START + 9 * HOUR);
  t.same(await store.windowStatistics(SUBJECT, query), hot);
  const lost = await (await openAfterLoss(t, ['raw_chunks'])).windowStatistics(SUBJECT, query);
  t.equal(lost[0]?.approximate, true);
  t.equal(lost[0]?.metrics.utilization?.avg, hot[0]?.metrics.utilization?.avg);
});

t.test('a subject that was never sampled has an empty history', async (t) => {
  const store = open();
  t.teardown(store.close);
  const query = evenQuery({ from: 0, to: 2000, stepMs: 1000 }, { metrics: ['power'] });
  const nothing = { avg: [null, null], min: [null, null], max: [null, null], count: [0, 0] };
  t.same(await store.history('gpu:GPU-none', query), { t: [0, 1000], metrics: { power: nothing } });
});

t.test('a metric that the subject does not have is refused by name', async (t) => {
  const store = open();
  t.teardown(store.close);
  const query = evenQuery({ from: T0, to: T0 + 1, stepMs: 1 }, { metrics: ['power); DROP TABLE runs; --'] });
  await t.rejects(store.history(SUBJECT, query), { name: 'RangeError', message: /power\); DROP/ });
});
