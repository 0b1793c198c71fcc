/** Widths of the tiers above the raw samples, ms. Chunks hold one hour of a subject, of whichever tier. */
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/**
 * The rollups of one metric: columns as long as `start`, a place for each stretch that holds samples of the subject, in
 * the order of time. `count` is 0 and the others NaN where the metric was not known in it.
 */
export type RollupColumns = {
  /** Where each stretch begins, ms. */
  readonly start: Float64Array;
  readonly count: Float64Array;
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;
  /** Of counters: what it grew by, each growth belonging to the later of its two samples; else null. */
  readonly increase: Float64Array | null;
  /** Of metrics with percentiles: exact ones (type 7), and how many values stood in each bin of `core/percent-bins.ts`. */
  readonly percentiles: { readonly p5: Float64Array; readonly p50: Float64Array; readonly p95: Float64Array } | null;
  readonly bins: readonly Float64Array[] | null;
};

/**
 * Two samples of a counter further apart than this, ms, have a gap between them: what it grew by meanwhile belongs to
 * no stretch. A value below the one before is a counter that began again from 0.
 */
export const COUNTER_GAP_MS = 90_000;

/** The rollup of one metric over one hour, a row of hour_rollups. */
export type HourRollup = {
  readonly metric: string;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
  readonly increase: number | null;
  readonly p5: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly bins: readonly number[] | null;
};
