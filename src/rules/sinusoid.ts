import { median, sum } from '../core/statistics.ts';

/** The sinusoid that explains a series best: the share of its variance, the period in samples, the amplitude. */
export type Sinusoid = { readonly r2: number; readonly period: number; readonly amplitude: number };

/**
 * Least squares over a grid of periods from 2 to 6.5 samples, in frequency steps of 1/(4n). The series should have no
 * trend and mean left ({@link withoutTrend}). An all-zero series gives zeros.
 */
export const fitSinusoid = (series: readonly number[]): Sinusoid => {
  const power = sum(series.map((value) => value * value));
  let best: Sinusoid = { r2: 0, period: 0, amplitude: 0 };
  if (power <= 0) return best;
  for (let f = 1 / LONGEST_PERIOD; f <= 1 / SHORTEST_PERIOD + 1e-9; f += 1 / (4 * series.length)) {
    const { explained, amplitude } = fitAt(series, f);
    if (explained / power > best.r2) best = { r2: explained / power, period: 1 / f, amplitude };
  }
  return best;
};

/** What is left of a series when its best parabola is taken off. */
export const withoutTrend = (series: readonly number[]): number[] => {
  const n = series.length;
  const xs = series.map((_, i) => (i - (n - 1) / 2) / (n / 2));
  const moment = (power: number) => sum(xs.map((x) => x ** power));
  const against = (power: number) => sum(xs.map((x, i) => x ** power * (series[i] ?? 0)));
  // x is symmetric about 0, so the odd moments vanish and the normal equations fall apart into 1 + 2 unknowns.
  const [s2, s4, t0, t2] = [moment(2), moment(4), against(0), against(2)];
  const determinant = n * s4 - s2 * s2;
  const curve = determinant === 0 ? 0 : (n * t2 - s2 * t0) / determinant;
  const level = (t0 - curve * s2) / n;
  const slope = s2 === 0 ? 0 : against(1) / s2;
  return series.map((value, i) => value - (level + slope * (xs[i] ?? 0) + curve * (xs[i] ?? 0) ** 2));
};

/** Cuts off what lies beyond so many robust standard deviations from 0. */
export const clipped = (series: readonly number[], sigmas: number): number[] => {
  const limit = sigmas * Math.max(1.4826 * median(series.map(Math.abs)), 1e-6);
  return series.map((value) => Math.max(-limit, Math.min(limit, value)));
};

const SHORTEST_PERIOD = 2;
const LONGEST_PERIOD = 6.5;

/** The least-squares a·cos + b·sin of one frequency, in cycles a sample. */
const fitAt = (series: readonly number[], frequency: number): { explained: number; amplitude: number } => {
  let [cc, ss, cs, yc, ys] = [0, 0, 0, 0, 0];
  for (const [i, value] of series.entries()) {
    const cos = Math.cos(2 * Math.PI * frequency * i);
    const sin = Math.sin(2 * Math.PI * frequency * i);
    cc += cos * cos;
    ss += sin * sin;
    cs += cos * sin;
    yc += value * cos;
    ys += value * sin;
  }
  const determinant = cc * ss - cs * cs;
  // At a period of 2 the sine is 0 at every sample.
  const alone = ss < 1e-6 || determinant < 1e-6 * cc * ss;
  const a = alone ? yc / cc : (yc * ss - ys * cs) / determinant;
  const b = alone ? 0 : (ys * cc - yc * cs) / determinant;
  return { explained: a * yc + b * ys, amplitude: Math.hypot(a, b) };
};
