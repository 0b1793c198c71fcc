import { median, sum } from '../core/statistics.ts';

/** The sinusoid that explains a series best: the share of its variance, the period in samples, the amplitude. */
export type Sinusoid = { readonly r2: number; readonly period: number; readonly amplitude: number };

/**
 * Makes the fit for series of `length` values: least squares over a grid of periods from 2 to 6.5 samples, in frequency
 * steps of 1/(4 `length`). The cosines and sines of the grid are computed here, once. The series should have no trend
 * and mean left ({@link withoutTrend}). An all-zero series gives zeros. Throws a RangeError on another length.
 */
export const sinusoidFitter = (length: number): ((series: readonly number[]) => Sinusoid) => {
  const waves: Wave[] = [];
  for (let f = 1 / LONGEST_PERIOD; f <= 1 / SHORTEST_PERIOD + 1e-9; f += 1 / (4 * length)) waves.push(wave(f, length));
  return (series) => {
    if (series.length !== length) throw new RangeError(`sinusoid: expected ${length} values, got ${series.length}`);
    const power = sum(series.map((value) => value * value));
    let best: Sinusoid = { r2: 0, period: 0, amplitude: 0 };
    if (power <= 0) return best;
    for (const candidate of waves) {
      const { explained, amplitude } = fitAt(series, candidate);
      if (explained / power > best.r2) best = { r2: explained / power, period: candidate.period, amplitude };
    }
    return best;
  };
};

/** What is left of a series when its best parabola is taken off. */
export const withoutTrend = (series: readonly number[]): number[] => {
  const n = series.length;
  const xs = series.map((_, i) => (i - (n - 1) / 2) / (n / 2));
  const squares = xs.map((x) => x ** 2);
  const against = (of: readonly number[]) => sum(of.map((x, i) => x * (series[i] ?? 0)));
  // x is symmetric about 0, so the odd moments vanish and the normal equations fall apart into 1 + 2 unknowns.
  const [s2, s4, t0, t2] = [sum(squares), sum(xs.map((x) => x ** 4)), sum(series), against(squares)];
  const determinant = n * s4 - s2 * s2;
  const curve = determinant === 0 ? 0 : (n * t2 - s2 * t0) / determinant;
  const level = (t0 - curve * s2) / n;
  const slope = s2 === 0 ? 0 : against(xs) / s2;
  return series.map((value, i) => value - (level + slope * (xs[i] ?? 0) + curve * (squares[i] ?? 0)));
};

/** Cuts off what lies beyond so many robust standard deviations from 0. */
export const clipped = (series: readonly number[], sigmas: number): number[] => {
  const limit = sigmas * Math.max(1.4826 * median(series.map(Math.abs)), 1e-6);
  return series.map((value) => Math.max(-limit, Math.min(limit, value)));
};

const SHORTEST_PERIOD = 2;
const LONGEST_PERIOD = 6.5;

/** One frequency of the grid: its cosine and sine at each sample, and the sums of their products. */
type Wave = {
  readonly period: number;
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
  readonly cc: number;
  readonly ss: number;
  readonly cs: number;
};

/** `frequency` in cycles a sample. */
const wave = (frequency: number, length: number): Wave => {
  const angles = Float64Array.from({ length }, (_, i) => 2 * Math.PI * frequency * i);
  const [cosines, sines] = [angles.map(Math.cos), angles.map(Math.sin)];
  return {
    period: 1 / frequency,
    cosines,
    sines,
    cc: product(cosines, cosines),
    ss: product(sines, sines),
    cs: product(cosines, sines),
  };
};

const product = (a: Float64Array, b: Float64Array): number => a.reduce((total, x, i) => total + x * (b[i] ?? 0), 0);

/** The least-squares a·cos + b·sin of one frequency. */
const fitAt = (
  series: readonly number[],
  { cosines, sines, cc, ss, cs }: Wave,
): { explained: number; amplitude: number } => {
  let [yc, ys] = [0, 0];
  for (let i = 0; i < series.length; i++) {
    const value = series[i] ?? 0;
    yc += value * (cosines[i] ?? 0);
    ys += value * (sines[i] ?? 0);
  }
  const determinant = cc * ss - cs * cs;
  // At a period of 2 the sine is 0 at every sample.
  const alone = ss < 1e-6 || determinant < 1e-6 * cc * ss;
  const a = alone ? yc / cc : (yc * ss - ys * cs) / determinant;
  const b = alone ? 0 : (ys * cc - yc * cs) / determinant;
  return { explained: a * yc + b * ys, amplitude: Math.hypot(a, b) };
};
