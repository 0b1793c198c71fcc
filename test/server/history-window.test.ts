import t from 'tap';
import { parseWindow } from '../../src/server/history-window.ts';
import { parseDuration, parseMoment } from '../../src/server/parameters.ts';
import { T0 } from '../store/open-store.ts';

const DAY = 86_400_000;

t.test('the step is the finest of the clock that keeps to the points asked for', async (t) => {
  for (const [span, points, stepMs] of [
    [900_000, 1000, 1000],
    [3_600_000, 1000, 5000],
    [DAY, 1000, 300_000],
    [DAY, 24, 3 * 3_600_000],
    [30 * DAY, 1000, 3_600_000],
    [365 * DAY, 100, 4 * DAY],
  ] as const) {
    const window = parseWindow({ from: String(T0 - span), to: String(T0), points }, T0);
    t.equal(window.stepMs, stepMs, `${span} ms in ${points} points`);
  }
});

t.test('a single point over any stretch is answered', async (t) => {
  const { stepMs } = parseWindow({ from: '0', points: 1 }, T0);
  t.ok(Math.ceil(T0 / stepMs) <= 2);
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
