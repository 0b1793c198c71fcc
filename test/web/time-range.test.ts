import t from 'tap';
import { MOVES, parseTimeRange, timeRangeQuery, windowOf } from '../../web/src/model/time-range.ts';

const MINUTE = 60_000;
const NOW = 1_757_427_471_000;

t.test('the address keeps the range, and a strange one is as usual', async (t) => {
  for (const range of [
    { last: '7d', zoom: null },
    { last: null, zoom: null },
    { last: '24h', zoom: [NOW - MINUTE, NOW] },
    { last: null, zoom: [0, 10_000] },
  ] as const) {
    t.same(parseTimeRange(timeRangeQuery(range), range.last), range);
  }
  const usual = { last: '10m', zoom: null };
  for (const query of ['', 'range=1y', 'range=toString', 'from=5', 'from=9&to=5', 'from=-1&to=5', 'from=a&to=b']) {
    t.same(parseTimeRange(query, '10m'), usual, query);
  }
});

t.test('what is dragged over is whole milliseconds, and never so little that nothing is seen', async (t) => {
  t.same(windowOf(1000.4, 61_000.2), [1000, 61_001]);
  t.same(windowOf(NOW, NOW + 1), [NOW - 5000, NOW + 5001]);
  t.same(windowOf(0, 1), [0, 5001], 'not before there was a clock');
});

t.test('the keyboard leads earlier, later, closer and wider, but not past now', async (t) => {
  const seen = [NOW - 20 * MINUTE, NOW - 10 * MINUTE] as const;
  const shown = (name: keyof typeof MOVES) => MOVES[name](seen, NOW).map((at) => (at - NOW) / MINUTE);
  t.same(shown('earlier'), [-25, -15]);
  t.same(shown('later'), [-15, -5]);
  t.same(shown('closer'), [-17.5, -12.5]);
  t.same(shown('wider'), [-25, -5]);
  t.same(MOVES.later([NOW - 10 * MINUTE, NOW - MINUTE], NOW), [NOW - 9 * MINUTE, NOW]);
  t.same(MOVES.wider([NOW - 10 * MINUTE, NOW], NOW), [NOW - 20 * MINUTE, NOW]);
});
