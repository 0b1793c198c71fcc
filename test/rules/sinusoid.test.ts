import t from 'tap';
import { clipped, fitSinusoid, withoutTrend } from '../../src/rules/sinusoid.ts';
import { randomOf } from './rows.ts';

const seriesOf = (length: number, value: (i: number) => number) => Array.from({ length }, (_, i) => value(i));

t.test('a swing on a curved trend is found with its period and amplitude', async (t) => {
  for (const period of [2.5, 3.3, 4, 6]) {
    const series = seriesOf(
      20,
      (i) => 0.4 + 0.02 * i - 0.0005 * i * i + 0.01 * Math.sin((2 * Math.PI * i) / period + 1),
    );
    const fit = fitSinusoid(clipped(withoutTrend(series), 4));
    t.ok(Math.abs(fit.period - period) < 0.25, `period ${fit.period} of ${period}`);
    t.ok(Math.abs(fit.amplitude - 0.01) < 0.002, `amplitude ${fit.amplitude}`);
    t.ok(fit.r2 > 0.85, `R² ${fit.r2}`);
  }
});

t.test('a parabola leaves nothing, and nothing swings in it', async (t) => {
  const left = withoutTrend(seriesOf(15, (i) => 3 - 2 * i + 0.5 * i * i));
  t.ok(left.every((value) => Math.abs(value) < 1e-9));
  t.strictSame(fitSinusoid(seriesOf(14, () => 0)), { r2: 0, period: 0, amplitude: 0 });
});

t.test('one wild value is cut to the size of the others', async (t) => {
  const series = seriesOf(21, (i) => (i === 10 ? 100 : i % 2 === 0 ? 1 : -1));
  t.ok(Math.max(...clipped(series, 4)) < 7);
});

t.test('in noise alone a sinusoid seldom explains as much as the shipped limits ask for', async (t) => {
  const random = randomOf(11);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  for (const [rows, limit] of [
    [14, 0.87],
    [20, 0.74],
    [28, 0.61],
  ] as const) {
    const fits = seriesOf(400, () => fitSinusoid(clipped(withoutTrend(seriesOf(rows, normal)), 4)).r2);
    t.ok(fits.filter((r2) => r2 > limit).length <= 3, `window of ${rows}`);
  }
});
