import { BINS, binOf, quantileOfBins } from './percent-bins.ts';
import { quantileOfSorted } from './statistics.ts';

/** What the values of one metric come to; null for all but `count` where there is none. */
export type ValueStatistics = {
  readonly avg: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly p5: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly count: number;
};

/** What is left of values once the samples are gone: columns, one place a stretch of time; NaN where `count` is 0. */
export type StretchColumns = {
  /** Where each stretch begins, ms. */
  readonly start: Float64Array;
  readonly count: Float64Array;
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Of counters: what it grew by. */
  readonly increase: Float64Array | null;
  /** Of percents: how many values stood in each bin; see `core/percent-bins.ts`. */
  readonly bins: readonly Float64Array[] | null;
};

/** Gathers the values of one metric. It holds all that it is given until the end: 8 bytes a value. */
export type ValueAccumulator = {
  /** NaN is a value that is not known. What it is given must not change any more. */
  readonly addValues: (values: Float64Array) => void;
  /** Takes the stretches [from, to) of the columns. */
  readonly addStretches: (columns: StretchColumns, from: number, to: number) => void;
  /** `approximate`: whether the percentiles are from bins. */
  readonly finish: () => ValueStatistics & { readonly approximate: boolean };
};

/**
 * Percentiles are exact (type 7) as long as all values came as such. Where stretches came, everything is counted in
 * bins; a stretch that has none leaves the percentiles unknown.
 */
export const createValueAccumulator = (): ValueAccumulator => {
  const pieces: Float64Array[] = [];
  const bins = new Array<number>(BINS).fill(0);
  let hasStretches = false;
  let hasAllBins = true;
  let count = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;

  return {
    addValues: (values) => {
      pieces.push(values);
    },
    addStretches: (columns, from, to) => {
      for (let i = from; i < to; i++) {
        const values = columns.count[i] ?? 0;
        if (values === 0) continue;
        hasStretches = true;
        hasAllBins &&= columns.bins !== null;
        count += values;
        sum += columns.sum[i] ?? 0;
        min = Math.min(min, columns.min[i] ?? min);
        max = Math.max(max, columns.max[i] ?? max);
        for (const [bin, column] of columns.bins?.entries() ?? []) bins[bin] = (bins[bin] ?? 0) + (column[i] ?? 0);
      }
    },
    finish: () => {
      const values = knownOf(pieces).sort();
      for (const value of values) sum += value;
      count += values.length;
      if (count === 0) return { ...NOTHING, approximate: false };
      const common = {
        avg: sum / count,
        min: Math.min(min, values[0] ?? min),
        max: Math.max(max, values.at(-1) ?? max),
        count,
      };
      if (!hasStretches) return { ...common, ...percentiles((q) => quantileOfSorted(values, q)), approximate: false };
      if (!hasAllBins) return { ...common, p5: null, p50: null, p95: null, approximate: false };
      for (const value of values) bins[binOf(value)] = (bins[binOf(value)] ?? 0) + 1;
      const within = (q: number) => Math.min(common.max, Math.max(common.min, quantileOfBins(bins, q)));
      return { ...common, ...percentiles(within), approximate: true };
    },
  };
};

const NOTHING: ValueStatistics = { avg: null, min: null, max: null, p5: null, p50: null, p95: null, count: 0 };

const percentiles = (quantile: (q: number) => number) => ({
  p5: quantile(0.05),
  p50: quantile(0.5),
  p95: quantile(0.95),
});

/** All values that are numbers, in one piece. */
const knownOf = (pieces: readonly Float64Array[]): Float64Array => {
  const all = new Float64Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let length = 0;
  for (const piece of pieces) {
    for (const value of piece) if (!Number.isNaN(value)) all[length++] = value;
  }
  return all.subarray(0, length);
};
