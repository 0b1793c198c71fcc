import t from 'tap';
import { parseGrid, parseRange } from '../../src/server/history-window.ts';
import { parseDuration, parseMoment } from '../../src/server/parameters.ts';
import { T0 } from '../store/open-store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const lastly = (span: number) => ({ from: T0 - span, to: T0 });

t.test('the step is the finest of the clock that keeps to the points asked for', async (t) => {
  for (const [span, points, stepMs] of [
    [900_000, 1000, 1000],
    [3_600_000, 1000, 5000],
    [DAY, 1000, 2 * MINUTE],
    [DAY, 100, 15 * MINUTE],
    [DAY, 24, 2 * HOUR],
    [30 * DAY, 1000, HOUR],
    [365 * DAY, 100, 4 * DAY],
  ] as const) {
    const grid = parseGrid({ points }, lastly(span), 0);
    t.equal(grid.stepMs, stepMs, `${span} ms in ${points} points`);
    t.ok(grid.edges.length - 1 <= points);
  }
});

t.test('a single point over any stretch is answered', async (t) => {
  t.ok(parseGrid({ points: 1 }, { from: 0, to: T0 }, 0).edges.length - 1 <= 2);
  t.ok(parseGrid({ points: 1, tz: 'Asia/Kolkata' }, lastly(30 * 365 * DAY), 0).edges.length - 1 <= 2);
});

t.test('what is kept more coarsely than asked is answered as it is kept', async (t) => {
  for (const [query, finestMs, stepMs] of [
    [{ step: '1s' }, MINUTE, MINUTE],
    [{ step: '90s' }, MINUTE, 2 * MINUTE],
    [{ step: '5m' }, MINUTE, 5 * MINUTE],
    [{ points: 1000 }, MINUTE, MINUTE],
    [{ points: 1000 }, HOUR, HOUR],
    [{ step: '500ms' }, 0, 500],
  ] as const) {
    t.equal(parseGrid(query, lastly(600_000), finestMs).stepMs, stepMs, `${JSON.stringify(query)} of ${finestMs}`);
  }
});

t.test('days begin at midnight of the zone, also when its clock is changed', async (t) => {
  const range = { from: Date.parse('2025-03-29T12:00Z'), to: Date.parse('2025-03-31T12:00Z') };
  const { edges, zone } = parseGrid({ step: '1d', tz: 'Europe/Berlin' }, range, 0);
  t.equal(zone, 'Europe/Berlin');
  t.same(
    edges.map((at) => new Date(at).toISOString().slice(0, 16)),
    ['2025-03-28T23:00', '2025-03-29T23:00', '2025-03-30T22:00', '2025-03-31T22:00'],
  );
});

t.test('what cannot be answered is refused by name', async (t) => {
  const range = lastly(DAY);
  for (const [query, parameter, stretch] of [
    [{ tz: 'Europe/Atlantis' }, 'tz', range],
    [{ tz: '' }, 'tz', range],
    [{ tz: 'Europe/Berlin' }, 'tz', { from: 0, to: 200 * 365 * DAY }],
    [{ tz: 'Europe/Berlin', step: '25h' }, 'step', range],
    [{ tz: 'Europe/Berlin', step: '999999999d' }, 'step', range],
    [{ step: '1s' }, 'step', range],
    [{ step: '1h', points: 10 }, 'points', range],
  ] as const) {
    t.throws(() => parseGrid(query, stretch, 0), { name: 'Problem', status: 400, parameter }, JSON.stringify(query));
  }
  t.throws(() => parseRange({ from: '5', to: '5' }, { to: T0 }), { name: 'Problem', parameter: 'from' });
  t.throws(() => parseRange({ to: '10000-01-01' }, { to: T0 }), { name: 'Problem', parameter: 'to' });
});

t.test('a stretch without its ends is the last hour', async (t) => {
  t.same(parseRange({}, { to: T0 }), { from: T0 - HOUR, to: T0 });
  t.same(parseRange({ to: '7200000' }, { to: T0 }), { from: HOUR, to: 2 * HOUR });
  t.same(parseRange({ to: '1' }, { to: T0 }), { from: 0, to: 1 });
});

t.test('moments are milliseconds or ISO 8601, in any zone, and in UTC without one', async (t) => {
  for (const text of ['1757427471000', '2025-09-09T14:17:51Z', '2025-09-09T16:17:51+02:00', '2025-09-09 14:17:51']) {
    t.equal(parseMoment('from', text), T0, text);
  }
  t.equal(parseMoment('from', '2025-09-09'), T0 - (T0 % DAY));
  t.equal(parseMoment('from', undefined), null);
});

t.test('durations are numbers with a unit', async (t) => {
  t.strictSame(
    ['500ms', '1s', '60s', '5m', '1h', '1d'].map((text) => parseDuration('step', text)),
    [500, 1000, 60_000, 300_000, 3_600_000, DAY],
  );
  for (const text of ['', '1', 's', '0s', '-1s', '1.5h', '1w', '1 h']) {
    t.throws(() => parseDuration('step', text), { name: 'Problem', message: /step: .*500ms, 1s/ }, text);
  }
});
