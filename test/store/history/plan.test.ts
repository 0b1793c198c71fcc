import t from 'tap';
import { planPieces, type Tier } from '../../../src/store/history/plan.ts';
import { createChance } from '../chance.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY_AT = Date.UTC(2025, 8, 9);

const even = (from: number, to: number, stepMs: number) => {
  const first = Math.floor(from / stepMs);
  return Array.from({ length: Math.ceil(to / stepMs) - first + 1 }, (_, i) => (first + i) * stepMs);
};
/** In words: the tier, and where it begins and ends, in minutes of the day. */
const plan = (from: number, to: number, edges: readonly number[], coarsest: Tier = 'hours') =>
  planPieces({ from: DAY_AT + from * MINUTE, to: DAY_AT + to * MINUTE, edges, coarsest }).map(
    (piece) => `${piece.tier} ${(piece.from - DAY_AT) / MINUTE}-${(piece.to - DAY_AT) / MINUTE}`,
  );
const evenPlan = (from: number, to: number, stepMs: number, coarsest: Tier = 'hours') =>
  plan(from, to, even(DAY_AT + from * MINUTE, DAY_AT + to * MINUTE, stepMs), coarsest);

t.test('buckets of whole hours are of hours, of whole minutes of minutes, of seconds of samples', async (t) => {
  t.same(evenPlan(0, 1440, HOUR), ['hours 0-1440']);
  t.same(evenPlan(0, 1440, 24 * HOUR), ['hours 0-1440']);
  t.same(evenPlan(0, 1440, 5 * MINUTE), ['minutes 0-1440']);
  t.same(evenPlan(0, 60, 1000), ['samples 0-60']);
});

t.test('the ends that are no whole stretches come from finer tiers', async (t) => {
  t.same(evenPlan(30.5, 150.25, HOUR), [
    'samples 30.5-31',
    'minutes 31-60',
    'hours 60-120',
    'minutes 120-150',
    'samples 150-150.25',
  ]);
  t.same(evenPlan(10.5, 10.75, HOUR), ['samples 10.5-10.75']);
});

t.test('buckets by the clock of a zone that is half an hour off are of hours with minutes between', async (t) => {
  const edges = [-330, 1110, 2550].map((minute) => DAY_AT + minute * MINUTE);
  t.same(plan(0, 2400, edges), ['hours 0-1080', 'minutes 1080-1140', 'hours 1140-2400']);
});

t.test('short buckets that cut minutes are of samples alone', async (t) => {
  t.same(evenPlan(0, 1440, 90_000), ['samples 0-1440']);
});

t.test('nothing coarser is read than was allowed', async (t) => {
  t.same(evenPlan(0, 1440, 24 * HOUR, 'minutes'), ['minutes 0-1440']);
  t.same(evenPlan(0, 1440, 24 * HOUR, 'samples'), ['samples 0-1440']);
});

t.test('whatever is asked for, pieces touch, cover exactly that, and no stretch crosses an edge', async (t) => {
  const chance = createChance(5);
  const widths: Record<Tier, number> = { hours: HOUR, minutes: MINUTE, samples: 1 };
  for (let i = 0; i < 400; i++) {
    const from = DAY_AT + Math.floor(chance() * 1e9);
    const edges = [from - Math.floor(chance() * 2) * Math.floor(chance() * HOUR)];
    const grid = [1, 1000, MINUTE, 30 * MINUTE, HOUR][i % 5] ?? 1;
    let edge = Math.floor(from / grid) * grid;
    while (edges.length < 30) {
      edge += grid * Math.ceil(chance() * 200);
      edges.push(edge);
    }
    const to = (edges.at(-2) ?? 0) + 1 + Math.floor(chance() * ((edges.at(-1) ?? 0) - (edges.at(-2) ?? 0)));
    const pieces = planPieces({ from, to, edges, coarsest: 'hours' });
    const touches = pieces.every((piece, k) => piece.from === (pieces[k - 1]?.to ?? from) && piece.from < piece.to);
    const isWhole = pieces.every(
      ({ tier, ...piece }) => piece.from % widths[tier] === 0 && piece.to % widths[tier] === 0,
    );
    const isCut = edges.some((edge) =>
      pieces.some(({ tier, ...piece }) => piece.from < edge && edge < piece.to && edge % widths[tier] !== 0),
    );
    t.same([touches, isWhole, isCut, pieces.at(-1)?.to], [true, true, false, to]);
  }
});
