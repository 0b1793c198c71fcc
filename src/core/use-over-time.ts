import { shareBelow } from './percent-bins.ts';
import type { Range } from './range.ts';
import { quantileOfSorted } from './statistics.ts';
import type { StretchColumns } from './value-statistics.ts';

/**
 * The longest that a sample can stand for, ms: until the next one, but no longer than three times the usual distance of
 * the samples, and never longer than this. What lies further apart has a gap between it.
 */
export const LONGEST_REACH_MS = 90_000;
const REACH = 3;

/** The columns of a GPU's samples that use over time is made of, NaN where not known; null: none of it is. */
export type UseColumns = {
  /** Rising. */
  readonly at: Float64Array;
  /** 1 where anything is known of the GPU. */
  readonly isKnown: Uint8Array;
  readonly utilization: Float64Array | null;
  readonly power: Float64Array | null;
  readonly energy: Float64Array | null;
};

/** The same of stretches of time whose samples are gone. */
export type UseStretches = {
  readonly utilization: StretchColumns | null;
  readonly power: StretchColumns | null;
  readonly energy: StretchColumns | null;
};

/** Sums over the time of a window; null where nothing of it is known. */
export type UseOverTime = {
  readonly coveredMs: number;
  readonly belowMs: number | null;
  readonly lostMs: number | null;
  readonly joules: number | null;
};

/**
 * What a GPU did over the time of `ranges`, by its samples; those up to {@link LONGEST_REACH_MS} before and after count
 * for the edges.
 * - A sample stands for the time until the next one, as far as it reaches; the newest one for the usual distance (the
 *   median of those that are there).
 * - Energy between two samples without a gap: what the counter grew by (from 0 where it began again), shared out
 *   evenly; where it is not known, the trapezoid of power.
 */
export const useOfSamples = (columns: UseColumns, ranges: readonly Range[], below: number): UseOverTime => {
  const { at, isKnown, utilization, power, energy } = columns;
  const usual = usualDistance(at);
  const reach = Math.min(LONGEST_REACH_MS, REACH * usual);
  const totals = createTotals();
  let range = 0;

  for (let i = 0; i < at.length; i++) {
    const begin = at[i] ?? 0;
    const next = at[i + 1];
    const end = next === undefined ? begin + Math.min(usual, reach) : Math.min(next, begin + reach);
    const isLinked = next !== undefined && next - begin <= reach;
    const busy = utilization?.[i] ?? Number.NaN;
    while ((ranges[range]?.to ?? Number.POSITIVE_INFINITY) <= begin) range++;
    for (let k = range; (ranges[k]?.from ?? Number.POSITIVE_INFINITY) < end; k++) {
      const from = Math.max(begin, ranges[k]?.from ?? 0);
      const to = Math.min(end, ranges[k]?.to ?? 0);
      if (to <= from) continue;
      if (isKnown[i] === 1) totals.cover(to - from);
      if (!Number.isNaN(busy)) totals.work(to - from, Number(busy < below), busy);
      if (isLinked) totals.burn(grownBy(energy, i) * ((to - from) / (next - begin)), () => powerOver(i, from, to));
    }
  }
  return totals.finish();

  /** Joules by the trapezoid of power, of a part of the time between sample `i` and the next. */
  function powerOver(i: number, from: number, to: number): number {
    const [begin, end] = [at[i] ?? 0, at[i + 1] ?? 0];
    const [before, after] = [power?.[i] ?? Number.NaN, power?.[i + 1] ?? Number.NaN];
    const middle = before + (after - before) * (((from + to) / 2 - begin) / (end - begin));
    return (middle * (to - from)) / 1000;
  }
};

/**
 * The same by stretches of `widthMs`, each whole (it belongs to where it begins). One with fewer samples than usual
 * (the median) stands for that share of its width.
 */
export const useOfStretches = (stretches: UseStretches, widthMs: number, below: number): UseOverTime => {
  const { utilization, power, energy } = stretches;
  const counts = (utilization ?? power ?? energy)?.count ?? new Float64Array();
  const usual = quantileOfSorted(counts.filter((count) => count > 0).sort(), 0.5);
  const totals = createTotals();
  for (const [i, count] of counts.entries()) {
    const ms = widthMs * Math.min(1, count / usual);
    const known = utilization?.count[i] ?? 0;
    if (count > 0) totals.cover(ms);
    if (utilization !== null && known > 0) {
      const bins = utilization.bins?.map((bin) => bin[i] ?? 0);
      const average = (utilization.sum[i] ?? 0) / known;
      totals.work(ms, bins === undefined ? Number(average < below) : shareBelow(bins, below), average);
    }
    const grown = (energy?.count[i] ?? 0) > 0 ? (energy?.increase?.[i] ?? Number.NaN) : Number.NaN;
    totals.burn(grown, () => (((power?.sum[i] ?? 0) / (power?.count[i] ?? 0)) * ms) / 1000);
  }
  return totals.finish();
};

const createTotals = () => {
  let coveredMs = 0;
  let belowMs: number | null = null;
  let lostMs: number | null = null;
  let joules: number | null = null;
  return {
    cover: (ms: number) => {
      coveredMs += ms;
    },
    /** `share`: of the time in which it was below the limit; `busy`: %. */
    work: (ms: number, share: number, busy: number) => {
      belowMs = (belowMs ?? 0) + ms * share;
      lostMs = (lostMs ?? 0) + ms * Math.max(0, 1 - busy / 100);
    },
    /** Joules by the counter, and by power where the counter is not known. */
    burn: (counted: number, powered: () => number) => {
      const burnt = Number.isNaN(counted) ? powered() : counted;
      if (!Number.isNaN(burnt)) joules = (joules ?? 0) + burnt;
    },
    finish: (): UseOverTime => ({ coveredMs, belowMs, lostMs, joules }),
  };
};

/** The median distance of samples, ms; 0 where there are not two. */
const usualDistance = (at: Float64Array): number => {
  if (at.length < 2) return 0;
  const distances = at.subarray(1).map((moment, i) => moment - (at[i] ?? moment));
  return quantileOfSorted(distances.sort(), 0.5);
};

const grownBy = (counter: Float64Array | null, i: number): number => {
  const before = counter?.[i] ?? Number.NaN;
  const after = counter?.[i + 1] ?? Number.NaN;
  return after < before ? after : after - before;
};
