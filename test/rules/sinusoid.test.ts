import { globSync, readFileSync } from 'node:fs';
import t from 'tap';
import { clipped, type Sinusoid, sinusoidFitter, withoutTrend } from '../../src/rules/sinusoid.ts';
import { randomOf } from './rows.ts';

const seriesOf = (length: number, value: (i: number) => number) => Array.from({ length }, (_, i) => value(i));

t.test('a swing on a curved trend is found with its period and amplitude', async (t) => {
  for (const period of [2.5, 3.3, 4, 6]) {
    const series = seriesOf(
      20,
      (i) => 0.4 + 0.02 * i - 0.0005 * i * i + 0.01 * Math.sin((2 * Math.PI * i) / period + 1),
    );
    const fit = sinusoidFitter(20)(clipped(withoutTrend(series), 4));
    t.ok(Math.abs(fit.period - period) < 0.25, `period ${fit.period} of ${period}`);
    t.ok(Math.abs(fit.amplitude - 0.01) < 0.002, `amplitude ${fit.amplitude}`);
    t.ok(fit.r2 > 0.85, `R² ${fit.r2}`);
  }
});

t.test('a parabola leaves nothing, and nothing swings in it', async (t) => {
  const left = withoutTrend(seriesOf(15, (i) => 3 - 2 * i + 0.5 * i * i));
  t.ok(left.every((value) => Math.abs(value) < 1e-9));
  t.strictSame(sinusoidFitter(14)(seriesOf(14, () => 0)), { r2: 0, period: 0, amplitude: 0 });
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
    const fitSinusoid = sinusoidFitter(rows);
    const fits = seriesOf(400, () => fitSinusoid(clipped(withoutTrend(seriesOf(rows, normal)), 4)).r2);
    t.ok(fits.filter((r2) => r2 > limit).length <= 3, `window of ${rows}`);
  }
});

/** The fit written down plainly: every frequency's sine and cosine anew for every series. */
const plainFit = (series: readonly number[]): Sinusoid => {
  const power = series.reduce((total, value) => total + value * value, 0);
  let best: Sinusoid = { r2: 0, period: 0, amplitude: 0 };
  if (power <= 0) return best;
  for (let f = 1 / 6.5; f <= 0.5 + 1e-9; f += 1 / (4 * series.length)) {
    let [cc, ss, cs, yc, ys] = [0, 0, 0, 0, 0];
    for (const [i, value] of series.entries()) {
      const cos = Math.cos(2 * Math.PI * f * i);
      const sin = Math.sin(2 * Math.PI * f * i);
      cc += cos * cos;
      ss += sin * sin;
      cs += cos * sin;
      yc += value * cos;
      ys += value * sin;
    }
    const determinant = cc * ss - cs * cs;
    const alone = ss < 1e-6 || determinant < 1e-6 * cc * ss;
    const a = alone ? yc / cc : (yc * ss - ys * cs) / determinant;
    const b = alone ? 0 : (ys * cc - yc * cs) / determinant;
    const r2 = (a * yc + b * ys) / power;
    if (r2 > best.r2) best = { r2, period: 1 / f, amplitude: Math.hypot(a, b) };
  }
  return best;
};

/** Every window of so many rows of mAP50 in the railway runs. */
const railwayWindows = (rows: number): number[][] =>
  globSync('test/fixtures/railway/runs/detect/*/results.csv').flatMap((file) => {
    const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    const column = header.split(',').findIndex((name) => name.trim() === 'metrics/mAP50(B)');
    const values = lines.map((line) => Number(line.split(',')[column]));
    return values.slice(rows - 1).map((_, i) => values.slice(i, i + rows));
  });

t.test('the tables change no bit of the fit: not in the railway runs, not in noise, not in swings', async (t) => {
  const random = randomOf(29);
  for (const rows of [14, 20, 28]) {
    const fitSinusoid = sinusoidFitter(rows);
    const made = Array.from({ length: 1500 }, (_, k) => {
      const [period, noise] = [2 + 6 * random(), (k % 4) * 0.002];
      return seriesOf(rows, (i) => 0.5 + 0.004 * Math.sin((2 * Math.PI * i) / period) + noise * (random() - 0.5));
    });
    const found = railwayWindows(rows);
    t.ok(found.length > 100, `${found.length} windows of ${rows} rows in the railway runs`);
    const series = [...made, ...found].map((window) => clipped(withoutTrend(window), 4));
    const differing = series.filter((left) => JSON.stringify(fitSinusoid(left)) !== JSON.stringify(plainFit(left)));
    t.equal(differing.length, 0);
  }
});

t.test('a series of another length is refused', async (t) => {
  t.throws(() => sinusoidFitter(14)([1, 2]), { name: 'RangeError', message: /expected 14 values, got 2/ });
});
