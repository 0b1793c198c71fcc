/** Robust statistics on small windows: exact, no dependencies, NaN for an empty window. */

/** The middle value (mean of the two middle ones). */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Linear interpolation between order statistics (type 7, as numpy's default); `q` from 0 to 1. */
export const quantile = (values: readonly number[], q: number): number =>
  quantileOfSorted(
    [...values].sort((a, b) => a - b),
    q,
  );

/** The same of values that rise. */
export const quantileOfSorted = (sorted: ArrayLike<number>, q: number): number => {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[below + 1] ?? low;
  return low + (position - below) * (high - low);
};

/** Median absolute deviation, scaled by 1.4826 to estimate a standard deviation under normal noise. */
export const mad = (values: readonly number[], center = median(values)): number =>
  1.4826 * median(values.map((value) => Math.abs(value - center)));

/** A line through points (x, y). */
export type Line = { readonly intercept: number; readonly slope: number };

/** Theil-Sen: the median of all pairwise slopes, and the median of the residuals as intercept. O(n²): keep n small. */
export const theilSen = (xs: readonly number[], ys: readonly number[]): Line => {
  const slopes: number[] = [];
  for (const [i, xi] of xs.entries()) {
    for (let j = i + 1; j < xs.length; j++) {
      const xj = xs[j] ?? Number.NaN;
      if (xj !== xi) slopes.push(((ys[j] ?? Number.NaN) - (ys[i] ?? Number.NaN)) / (xj - xi));
    }
  }
  const slope = median(slopes);
  return { slope, intercept: median(ys.map((y, i) => y - slope * (xs[i] ?? Number.NaN))) };
};

/** Kendall's trend test: the z score of S without ties correction; above about 2.2 the series rises. */
export const kendallZ = (values: readonly number[]): number => {
  const n = values.length;
  let s = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) s += Math.sign((values[j] ?? 0) - (values[i] ?? 0));
  }
  if (s === 0) return 0;
  return (s - Math.sign(s)) / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
};

/** The sum, 0 for none. */
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The arithmetic mean. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;
