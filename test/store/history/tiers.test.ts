import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { bucketEdges } from '../../../src/core/bucket-edges.ts';
import type { HistoryQuery, Series, Store } from '../../../src/core/ports.ts';
import type { Sample } from '../../../src/core/sample.ts';
import { createChance } from '../chance.ts';
import { open } from '../open-store.ts';
import { evenQuery, maintainFully, naiveHistory } from './reference.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** 10:40 UTC; the samples go on for about 4.4 hours. */
const START = Date.UTC(2025, 8, 9, 10, 40);
const SUBJECT = 'gpu:GPU-a';

/** Two GPUs, every 4 s or so; gaps, unknown values, and whole numbers, whose sums are exact in any order. */
const makeSamples = (): readonly Sample[] => {
  const chance = createChance(7);
  const samples: Sample[] = [];
  let at = START;
  for (let tick = 0; tick < 3600; tick++) {
    at += chance() < 0.004 ? Math.floor(chance() * 10 * MINUTE) : 3900 + Math.floor(chance() * 200);
    for (const subject of [SUBJECT, 'gpu:GPU-b']) {
      if (chance() < 0.05) continue;
      const utilization = chance() < 0.1 ? null : Math.floor(chance() * 101);
      const values = { utilization, power: Math.floor(chance() * 400), temperature: 40 + Math.floor(chance() * 30) };
      samples.push({ subject, at, values });
    }
  }
  return samples;
};
const SAMPLES = makeSamples();
const OURS = SAMPLES.filter(({ subject }) => subject === SUBJECT);
const END = OURS.at(-1)?.at ?? START;

const fill = (path?: string): Store => {
  const store = open(path);
  for (let i = 0; i < SAMPLES.length; i += 15) store.appendSamples(SAMPLES.slice(i, i + 15));
  return store;
};

/** Of every kind: steps of each tier, ends on edges and not, some beyond the data, days and hours of zones. */
const makeQueries = (): readonly HistoryQuery[] => {
  const chance = createChance(3);
  const steps = [997, 15_000, MINUTE, 90_000, 5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 24 * HOUR];
  return Array.from({ length: 54 }, (_, i): HistoryQuery => {
    const stepMs = steps[i % steps.length] ?? HOUR;
    const grid = i % 2 === 0 ? stepMs : 1;
    const from = Math.floor((START - HOUR + chance() * (END - START)) / grid) * grid;
    const length = Math.ceil((chance() * Math.min(6 * HOUR, 300 * stepMs)) / grid) * grid;
    const edges = i % 3 === 0 && stepMs >= MINUTE ? { zone: i % 6 === 0 ? 'Asia/Kolkata' : 'Europe/Berlin' } : {};
    return {
      metrics: i % 4 === 0 ? ['utilization', 'power'] : ['utilization'],
      from,
      to: from + length,
      edges: bucketEdges({ from, to: from + length, stepMs, ...edges }),
      further: i % 5 === 0 ? ['last', 'p5', 'p50', 'p95'] : ['last'],
    };
  });
};
const QUERIES = makeQueries();

const EXPECTED = QUERIES.map((query) => ({ t: query.edges.slice(0, -1), metrics: naiveHistory(OURS, query) }));

const asDefined = async (t: Test, store: Store, when: string): Promise<void> => {
  const answers: Series[] = [];
  for (const query of QUERIES) answers.push(await store.history(SUBJECT, query));
  const wrong = answers.findIndex((answer, i) => !isDeepStrictEqual(answer, EXPECTED[i]));
  t.same(answers[wrong], EXPECTED[wrong], when);
  t.equal(wrong, -1, when);
};

t.test('an answer is what its definition says, however much of it is sealed', async (t) => {
  const store = fill(join(t.testdir(), 'signalbox.db'));
  t.teardown(store.close);
  await asDefined(t, store, 'nothing is sealed');
  await maintainFully(store, START + 2 * HOUR);
  await asDefined(t, store, 'a part is sealed');
  await maintainFully(store, END + 2 * HOUR);
  await asDefined(t, store, 'all is sealed');
});

t.test('an answer from memory alone is the same', async (t) => {
  const store = fill();
  t.teardown(store.close);
  await maintainFully(store, START + 2 * HOUR);
  await asDefined(t, store, 'a part is sealed');
});

t.test('an answer is the same after a restart', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const first = fill(path);
  await maintainFully(first, START + 2 * HOUR);
  first.close();
  const store = open(path);
  t.teardown(store.close);
  await asDefined(t, store, 'a part is sealed');
});

t.test('none of 10,000 spikes of one sample is lost, at any zoom', async (t) => {
  const chance = createChance(1);
  // In a file: the wide questions go to the thread.
  const store = open(join(t.testdir(), 'signalbox.db'));
  t.teardown(store.close);
  const seconds = 5 * 3600;
  const spikes = new Map<number, number>();
  while (spikes.size < 10_000) spikes.set(START + 1000 * Math.floor(chance() * seconds), 1000 + spikes.size);
  const samples = Array.from({ length: seconds }, (_, i) => {
    const at = START + i * 1000;
    return { subject: SUBJECT, at, values: { power: spikes.get(at) ?? 300 } };
  });
  for (let i = 0; i < samples.length; i += 60) store.transaction(() => store.appendSamples(samples.slice(i, i + 60)));
  const range = { from: START, to: START + seconds * 1000 };
  for (const when of ['hot', 'half sealed', 'sealed']) {
    if (when === 'half sealed') await maintainFully(store, START + 2 * HOUR);
    if (when === 'sealed') await maintainFully(store, START + 9 * HOUR);
    for (const stepMs of [1000, 7000, MINUTE, 90_000, 5 * MINUTE, HOUR, 24 * HOUR]) {
      const query = evenQuery({ ...range, stepMs }, { metrics: ['power'] });
      const { metrics } = await store.history(SUBJECT, query);
      const first = query.edges[0] ?? 0;
      const lost = [...spikes].filter(
        ([at, height]) => (metrics.power?.max[Math.floor((at - first) / stepMs)] ?? 0) < height,
      );
      t.same(lost, [], `${when}, by ${stepMs} ms`);
    }
  }
});

t.test('a gap is null in every tier, and never 0', async (t) => {
  const store = open();
  t.teardown(store.close);
  const at = Date.UTC(2025, 8, 9, 10);
  for (const hour of [0, 3]) {
    for (let i = 0; i < 120; i++) {
      const values = { power: 100, utilization: null, energy: 5 * i };
      store.appendSamples([{ subject: SUBJECT, at: at + hour * HOUR + i * 10_000, values }]);
    }
  }
  for (const now of [at, at + 9 * HOUR]) {
    await maintainFully(store, now);
    for (const stepMs of [10_000, MINUTE, HOUR]) {
      const range = { from: at + HOUR, to: at + 3 * HOUR, stepMs };
      const query = evenQuery(range, { metrics: ['power', 'energy'], further: ['last', 'p95', 'rate'] });
      const { metrics } = await store.history(SUBJECT, query);
      const { count, ...others } = metrics.energy ?? { count: [1] };
      t.ok(count.length === (2 * HOUR) / stepMs && count.every((samples) => samples === 0));
      t.ok(Object.values(others).every((column) => Array.isArray(column) && column.every((value) => value === null)));
    }
    const all = evenQuery({ from: at, to: at + 4 * HOUR, stepMs: HOUR }, { metrics: ['utilization'] });
    t.same((await store.history(SUBJECT, all)).metrics.utilization?.max, [null, null, null, null]);
  }
});
