import t from 'tap';
import type { HistoryQuery } from '../../src/core/ports.ts';
import type { Sample } from '../../src/core/sample.ts';
import { createChance } from './chance.ts';
import { open, T0 } from './open-store.ts';

/** The history as its definition says it, bucket by bucket. */
const naive = (samples: readonly Sample[], subject: string, { metrics, from, to, stepMs }: HistoryQuery) => {
  const t: number[] = [];
  for (let start = Math.floor(from / stepMs) * stepMs; start < to; start += stepMs) t.push(start);
  const columns = metrics.map((name) => {
    const buckets = t.map((start) =>
      samples
        .filter((sample) => sample.subject === subject && sample.at >= from && sample.at < to)
        .filter(({ at }) => at >= start && at < start + stepMs)
        .flatMap(({ values }) => values[name] ?? []),
    );
    return [
      name,
      {
        avg: buckets.map((values) => (values.length === 0 ? null : values.reduce((a, b) => a + b) / values.length)),
        min: buckets.map((values) => (values.length === 0 ? null : Math.min(...values))),
        max: buckets.map((values) => (values.length === 0 ? null : Math.max(...values))),
        count: buckets.map((values) => values.length),
      },
    ] as const;
  });
  return { t, metrics: Object.fromEntries(columns) };
};

t.test('a history is what its definition says, over gaps, unknown values, the tail and any step', async (t) => {
  const chance = createChance(7);
  const store = open();
  const samples: Sample[] = [];
  let at = T0;
  for (let tick = 0; tick < 400; tick++) {
    at += chance() < 0.05 ? 60_000 : 900 + Math.floor(chance() * 200);
    for (const subject of ['gpu:GPU-a', 'gpu:GPU-b']) {
      if (chance() < 0.1) continue;
      // Whole watts: their sums are exact in any order.
      const values = {
        utilization: chance() < 0.2 ? null : Math.floor(chance() * 101),
        power: Math.floor(chance() * 400),
      };
      samples.push({ subject, at, values });
    }
    // In looks of several ticks, so that the last ones stay in the tail.
    if (tick % 7 === 6 || tick === 399) store.appendSamples(samples.slice(-30));
  }
  for (let i = 0; i < 60; i++) {
    const from = T0 - 5000 + Math.floor(chance() * (at - T0));
    const query = {
      metrics: i % 2 ? ['utilization', 'power'] : ['power'],
      from,
      to: from + Math.floor(chance() * 400_000),
      stepMs: 1 + Math.floor(chance() * 20_000),
    };
    // The last ones reach over the end, where the tail is.
    if (i > 40) query.to = at + 1;
    t.same(store.history('gpu:GPU-a', query), naive(samples, 'gpu:GPU-a', query));
  }
});

t.test('buckets begin at multiples of the step, also empty ones, and end before `to`', async (t) => {
  const store = open();
  store.appendSamples([{ subject: 'host:trainer', at: 125_000, values: { cpu: 40 } }]);
  t.same(store.history('host:trainer', { metrics: ['cpu'], from: 61_000, to: 240_000, stepMs: 60_000 }), {
    t: [60_000, 120_000, 180_000],
    metrics: { cpu: { avg: [null, 40, null], min: [null, 40, null], max: [null, 40, null], count: [0, 1, 0] } },
  });
});

t.test('a subject that was never sampled has an empty history', async (t) => {
  const series = open().history('gpu:GPU-none', { metrics: ['power'], from: 0, to: 2000, stepMs: 1000 });
  t.same(series, {
    t: [0, 1000],
    metrics: { power: { avg: [null, null], min: [null, null], max: [null, null], count: [0, 0] } },
  });
});

t.test('a metric that the subject does not have is refused by name', async (t) => {
  const store = open();
  const query = { metrics: ['power); DROP TABLE runs; --'], from: 0, to: 1, stepMs: 1 };
  t.throws(() => store.history('gpu:GPU-a', query), { name: 'RangeError', message: /power\); DROP/ });
});
