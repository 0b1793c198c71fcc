import t from 'tap';
import { bucketEdges } from '../../src/core/bucket-edges.ts';
import { createChance } from '../store/chance.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (moment: string): number => Date.parse(moment);
const shown = (edges: readonly number[]): string[] => edges.map((edge) => new Date(edge).toISOString().slice(5, 16));
const hoursBetween = (edges: readonly number[]): number[] =>
  edges.slice(1).map((edge, i) => (edge - (edges[i] ?? 0)) / HOUR);
const days = (zone: string, from: string, to: string) => bucketEdges({ from: at(from), to: at(to), stepMs: DAY, zone });

t.test('buckets without a zone begin at multiples of the step and reach around what is asked for', async (t) => {
  t.same(bucketEdges({ from: 61_000, to: 240_000, stepMs: 60_000 }), [60_000, 120_000, 180_000, 240_000]);
  t.same(bucketEdges({ from: 60_000, to: 180_001, stepMs: 60_000 }), [60_000, 120_000, 180_000, 240_000]);
  t.same(bucketEdges({ from: 60_000, to: 60_000, stepMs: 60_000 }), [60_000]);
});

t.test('a day on which the clock is changed is one bucket of 23 or 25 hours', async (t) => {
  const spring = days('Europe/Berlin', '2025-03-29T12:00Z', '2025-03-31T12:00Z');
  t.same(shown(spring), ['03-28T23:00', '03-29T23:00', '03-30T22:00', '03-31T22:00']);
  t.same(hoursBetween(days('Europe/Berlin', '2025-10-25T12:00Z', '2025-10-27T12:00Z')), [24, 25, 24]);
  t.same(hoursBetween(days('America/New_York', '2025-03-08T12:00Z', '2025-03-10T12:00Z')), [24, 23, 24]);
  t.same(hoursBetween(days('America/New_York', '2025-11-01T12:00Z', '2025-11-03T12:00Z')), [24, 25, 24]);
  t.same(hoursBetween(days('Australia/Lord_Howe', '2025-04-05T00:00Z', '2025-04-07T00:00Z')), [24, 24.5, 24]);
  t.same(hoursBetween(days('Australia/Lord_Howe', '2025-10-04T00:00Z', '2025-10-06T00:00Z')), [24, 23.5, 24]);
});

t.test('days of a zone that is half an hour off begin at its midnight', async (t) => {
  t.same(shown(days('Asia/Kolkata', '2025-10-04T00:00Z', '2025-10-05T00:00Z')), [
    '10-03T18:30',
    '10-04T18:30',
    '10-05T18:30',
  ]);
});

t.test('a midnight that the clock shows twice, or never, begins one day', async (t) => {
  // Havana goes back from 01:00 to 00:00, São Paulo went forward from 00:00 to 01:00, Apia left out a whole day.
  t.same(hoursBetween(days('America/Havana', '2025-11-01T12:00Z', '2025-11-03T12:00Z')), [24, 25, 24]);
  t.same(hoursBetween(days('America/Sao_Paulo', '2018-11-03T12:00Z', '2018-11-05T12:00Z')), [24, 23, 24]);
  t.same(hoursBetween(days('Pacific/Apia', '2011-12-29T12:00Z', '2011-12-31T20:00Z')), [24, 24, 24]);
});

t.test('hours follow the clock: one is missing in spring, one is there twice in autumn', async (t) => {
  const hours = (from: string, to: string, stepMs: number) =>
    bucketEdges({ from: at(from), to: at(to), stepMs, zone: 'Europe/Berlin' });
  t.same(hoursBetween(hours('2025-10-25T22:00Z', '2025-10-26T23:00Z', HOUR)), new Array(25).fill(1));
  t.same(hoursBetween(hours('2025-03-29T23:00Z', '2025-03-30T22:00Z', HOUR)), new Array(23).fill(1));
  t.same(hoursBetween(hours('2025-10-25T22:00Z', '2025-10-26T23:00Z', 6 * HOUR)), [7, 6, 6, 6]);
  t.same(hoursBetween(hours('2025-03-29T23:00Z', '2025-03-30T22:00Z', 6 * HOUR)), [5, 6, 6, 6]);
});

t.test('steps of several days are counted by local days', async (t) => {
  const weeks = bucketEdges({
    ...{ from: at('2025-03-20T12:00Z'), to: at('2025-04-04T12:00Z') },
    ...{ stepMs: 7 * DAY, zone: 'Europe/Berlin' },
  });
  t.same(hoursBetween(weeks), [168, 167, 168]);
});

t.test('edges rise and hold what was asked for, whatever the zone, the step and the moment', async (t) => {
  const chance = createChance(11);
  const zones = ['Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Africa/Casablanca'];
  const steps = [60_000, 5 * 60_000, HOUR, 3 * HOUR, 7 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY];
  for (let i = 0; i < 300; i++) {
    const stepMs = steps[i % steps.length] ?? HOUR;
    const from = Math.floor(at('2015-01-01T00:00Z') + chance() * 12 * 365 * DAY);
    const to = from + Math.floor(chance() * 100 * stepMs);
    const zone = zones[Math.floor(chance() * zones.length)] ?? 'UTC';
    const edges = bucketEdges({ from, to, stepMs, zone });
    const rises = edges.every((edge, k) => k === 0 || edge > (edges[k - 1] ?? 0));
    const isTight = (edges[0] ?? 0) <= from && (edges[1] ?? to) > from && (edges.at(-1) ?? 0) >= to;
    if (!rises || !isTight) t.fail(`${zone} ${stepMs} ${from} ${to}`);
    // Summer time moves by an hour at most in these zones.
    t.ok(hoursBetween(edges).every((hours) => hours <= stepMs / HOUR + 1));
  }
});

t.test('a zone without summer time has the buckets of the plain clock, moved', async (t) => {
  const range = { from: at('2025-06-01T03:00Z'), to: at('2025-06-03T03:00Z') };
  t.same(bucketEdges({ ...range, stepMs: 6 * HOUR, zone: 'UTC' }), bucketEdges({ ...range, stepMs: 6 * HOUR }));
});

t.test('what is no step or no zone is refused', async (t) => {
  t.throws(() => bucketEdges({ from: 0, to: 1, stepMs: 0 }), RangeError);
  t.throws(() => bucketEdges({ from: 0, to: 1, stepMs: 36 * HOUR, zone: 'Europe/Berlin' }), /whole days/);
  t.throws(() => bucketEdges({ from: 0, to: 1, stepMs: HOUR, zone: 'Mars/Olympus' }), RangeError);
});
