import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { sum } from '../../../src/core/statistics.ts';
import { openChunk } from '../../../src/store/chunks/chunk.ts';
import { createChunkTables } from '../../../src/store/history/chunk-tables.ts';
import { minuteColumns } from '../../../src/store/history/minutes.ts';
import { COUNTER_GAP_MS } from '../../../src/store/history/rollup.ts';
import { createChance } from '../chance.ts';
import { open } from '../open-store.ts';
import { maintainFully } from './reference.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 8, 9, 10);
const HOURS = 4;
const SUBJECT = 'gpu:GPU-a';

/** Every 20 s or so across hours; it begins again from 0 now and then, and is silent for minutes now and then. */
const makeSamples = (seed: number) => {
  const chance = createChance(seed);
  const samples: { subject: string; at: number; values: { energy: number } }[] = [];
  let energy = 1e6;
  for (let at = START + 1000; at < START + HOURS * HOUR; at += 15_000 + Math.floor(chance() * 10_000)) {
    energy = chance() < 0.01 ? 10 : energy + Math.floor(chance() * 5000);
    samples.push({ subject: SUBJECT, at, values: { energy } });
    if (chance() < 0.01) at += COUNTER_GAP_MS + Math.floor(chance() * 20 * 60_000);
  }
  return samples;
};

/** What the definition says: each growth belongs to the later sample, none across a gap, a fall begins from 0. */
const growthOf = (samples: readonly { at: number; values: { energy: number } }[]): number =>
  samples.reduce((total, { at, values: { energy } }, i) => {
    const before = samples[i - 1];
    if (before === undefined || at - before.at > COUNTER_GAP_MS) return total;
    return total + (energy < before.values.energy ? energy : energy - before.values.energy);
  }, 0);

/** All that it grew by: by the sealed hours, and by their minutes. */
const growthIn = (path: string): readonly number[] => {
  const db = new Database(path, { readonly: true });
  const tables = createChunkTables(db);
  const hours = tables.hours.columns(1, 'energy', START, START + HOURS * HOUR);
  const minutes = tables.minutes.starts(1, START, START + HOURS * HOUR).map((start) => {
    const stored = tables.minutes.get(1, start);
    return stored === undefined ? null : minuteColumns(openChunk(stored), 'energy').increase;
  });
  db.close();
  const total = (columns: readonly (Float64Array | null)[]) =>
    sum(columns.flatMap((column) => [...(column ?? [])]).filter((grown) => !Number.isNaN(grown)));
  return [total([hours.increase]), total(minutes)];
};

t.test('what a counter grew by across the end of an hour is lost nowhere', async (t) => {
  for (const seed of [1, 2]) {
    const samples = makeSamples(seed);
    const path = join(t.testdir(), `${seed}.db`);
    const store = open(path);
    t.teardown(store.close);
    store.appendSamples(samples);
    await maintainFully(store, START + 9 * HOUR);
    t.same(growthIn(path), [growthOf(samples), growthOf(samples)], `seed ${seed}`);
  }
});

t.test('late samples at the end of an hour take nothing from the next one twice', async (t) => {
  for (const seed of [5, 6]) {
    const samples = makeSamples(seed);
    const isLate = ({ at }: { at: number }) => at % HOUR > HOUR - 60_000;
    const path = join(t.testdir(), `${seed}.db`);
    const store = open(path);
    t.teardown(store.close);
    store.appendSamples(samples.filter((sample) => !isLate(sample)));
    await maintainFully(store, START + 9 * HOUR);
    const late = samples.filter(isLate);
    t.ok(late.length > 0);
    t.equal(store.appendSamples(late).length, late.length);
    await maintainFully(store, START + 9 * HOUR);
    t.same(growthIn(path), [growthOf(samples), growthOf(samples)], `seed ${seed}`);
  }
});
