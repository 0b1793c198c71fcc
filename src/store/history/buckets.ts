import { COUNTER_GAP_MS, type RollupColumns } from './rollup.ts';

/** What the buckets of one metric come to, in columns; NaN where nothing is known. */
export type BucketColumns = {
  readonly count: Float64Array;
  readonly avg: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;
  /** Per second; null if it was not asked for. */
  readonly rate: Float64Array | null;
  /** Of buckets that are one whole stretch of a tier which holds percentiles; null if they were not asked for. */
  readonly percentiles: PercentileColumns | null;
};

export type PercentileColumns = { readonly p5: Float64Array; readonly p50: Float64Array; readonly p95: Float64Array };

/** What is wanted beside avg, min, max, count and last. */
export type Wanted = { readonly rate: boolean; readonly percentiles: boolean };

/** Gathers one metric into buckets. */
export type Buckets = {
  /**
   * Takes samples: `at` rises, within a call and from call to call; NaN is a value that is not known. Those from before
   * `from` are only what a counter grew from.
   */
  readonly addSamples: (at: Float64Array, values: Float64Array, from: number) => void;
  /** Takes stretches of `widthMs`; each counts whole where it begins. */
  readonly addStretches: (widthMs: number, columns: RollupColumns) => void;
  readonly finish: () => BucketColumns;
};

/**
 * Buckets between edges that rise. All that is added must lie in them.
 *
 * The rate of a counter is what it grew by in the bucket, by the seconds in which it did: of samples the time since the
 * sample before, of stretches their whole width. There is none across a gap, and where a bucket holds no growth it is
 * not known.
 */
export const createBuckets = (edges: readonly number[], wanted: Wanted): Buckets => {
  const length = Math.max(0, edges.length - 1);
  const column = (value: number) => new Float64Array(length).fill(value);
  const count = column(0);
  const sum = column(0);
  const min = column(Number.NaN);
  const max = column(Number.NaN);
  const last = column(Number.NaN);
  const lastAt = column(Number.NEGATIVE_INFINITY);
  const growth = wanted.rate ? { increase: column(0), coveredMs: column(0) } : null;
  /** `count`: how many values the one stretch has that is as wide as the bucket. */
  const own = wanted.percentiles
    ? { count: column(0), p5: column(Number.NaN), p50: column(Number.NaN), p95: column(Number.NaN) }
    : null;

  const endOf = (bucket: number): number => edges[bucket + 1] ?? Number.POSITIVE_INFINITY;
  let place = 0;
  /** The bucket of a moment: most often that of the moment before, or the next. */
  const bucketOf = (at: number): number => {
    if (at < (edges[place] ?? 0)) place = lastPlaceUpTo(edges, at);
    while (at >= endOf(place)) place++;
    return place;
  };

  let grewFrom = { at: Number.NEGATIVE_INFINITY, value: Number.NaN };

  return {
    addSamples: (at, values, from) => {
      let { at: beforeAt, value: before } = grewFrom;
      for (let i = 0; i < at.length; i++) {
        const moment = at[i] ?? 0;
        const value = values[i] ?? Number.NaN;
        if (Number.isNaN(value)) continue;
        if (moment >= from) {
          const bucket = bucketOf(moment);
          count[bucket] = (count[bucket] ?? 0) + 1;
          sum[bucket] = (sum[bucket] ?? 0) + value;
          if (!(value >= (min[bucket] ?? 0))) min[bucket] = value;
          if (!(value <= (max[bucket] ?? 0))) max[bucket] = value;
          if (moment >= (lastAt[bucket] ?? 0)) {
            lastAt[bucket] = moment;
            last[bucket] = value;
          }
          if (growth !== null && beforeAt < moment && moment - beforeAt <= COUNTER_GAP_MS) {
            growth.increase[bucket] = (growth.increase[bucket] ?? 0) + (value < before ? value : value - before);
            growth.coveredMs[bucket] = (growth.coveredMs[bucket] ?? 0) + moment - beforeAt;
          }
        }
        beforeAt = moment;
        before = value;
      }
      grewFrom = { at: beforeAt, value: before };
    },
    addStretches: (widthMs, columns) => {
      const { start, percentiles } = columns;
      for (let i = 0; i < start.length; i++) {
        const moment = start[i] ?? 0;
        const values = columns.count[i] ?? 0;
        if (values === 0) continue;
        const bucket = bucketOf(moment);
        const least = columns.min[i] ?? Number.NaN;
        const greatest = columns.max[i] ?? Number.NaN;
        count[bucket] = (count[bucket] ?? 0) + values;
        sum[bucket] = (sum[bucket] ?? 0) + (columns.sum[i] ?? 0);
        if (!(least >= (min[bucket] ?? 0))) min[bucket] = least;
        if (!(greatest <= (max[bucket] ?? 0))) max[bucket] = greatest;
        if (moment >= (lastAt[bucket] ?? 0)) {
          lastAt[bucket] = moment;
          last[bucket] = columns.last[i] ?? Number.NaN;
        }
        if (growth !== null) {
          growth.increase[bucket] = (growth.increase[bucket] ?? 0) + (columns.increase?.[i] ?? 0);
          growth.coveredMs[bucket] = (growth.coveredMs[bucket] ?? 0) + widthMs;
        }
        const isWhole = moment === edges[bucket] && moment + widthMs === edges[bucket + 1];
        if (own !== null && percentiles !== null && isWhole) {
          own.count[bucket] = values;
          own.p5[bucket] = percentiles.p5[i] ?? Number.NaN;
          own.p50[bucket] = percentiles.p50[i] ?? Number.NaN;
          own.p95[bucket] = percentiles.p95[i] ?? Number.NaN;
        }
      }
    },
    finish: () => {
      const avg = column(Number.NaN);
      for (let i = 0; i < length; i++) avg[i] = (sum[i] ?? 0) / (count[i] ?? 0);
      return {
        count,
        avg,
        min,
        max,
        last,
        rate: growth && rateOf(growth),
        percentiles: own && ofOneStretch(own, count),
      };
    },
  };
};

/** 0 / 0 is NaN. */
const rateOf = ({ increase, coveredMs }: { increase: Float64Array; coveredMs: Float64Array }): Float64Array =>
  increase.map((grown, i) => grown / ((coveredMs[i] ?? 0) / 1000));

/** Where other values are in the bucket besides, the percentiles of the stretch are not its own. */
const ofOneStretch = (own: PercentileColumns & { readonly count: Float64Array }, count: Float64Array) => {
  for (let i = 0; i < count.length; i++) {
    if (own.count[i] !== count[i]) own.p5[i] = own.p50[i] = own.p95[i] = Number.NaN;
  }
  return { p5: own.p5, p50: own.p50, p95: own.p95 };
};

/** The place of the last edge that is not after the moment; edges rise. */
const lastPlaceUpTo = (edges: readonly number[], moment: number): number => {
  let low = 0;
  let high = edges.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? 0) <= moment) low = middle;
    else high = middle;
  }
  return low;
};
