import { kendallZ, median, theilSen } from '../core/statistics.ts';

/**
 * The most memory (bytes) that a GPU used in a stretch of time, usually an epoch. Between the epochs a caching
 * allocator gives memory back: only the peaks of whole epochs tell whether it grows. `others` is what other processes
 * held, where that is known.
 */
export type MemoryBlock = { readonly at: number; readonly used: number; readonly others: number | null };

/** How the peaks of the last blocks grow. Slopes are bytes a second. */
export type MemoryGrowth = {
  /** Kendall's z of the trend. */
  readonly z: number;
  readonly bytes: number;
  readonly overS: number;
  readonly now: number;
  /** The slope to reckon with, and the most careful one. */
  readonly slope: number;
  readonly smallestSlope: number;
  /** Slope of the newest blocks as a share of that of all. */
  readonly newestShare: number;
  /** Share of the growth that came in one jump. */
  readonly jumpShare: number;
  /** Misfit of growth by the logarithm of time as a share of the misfit of steady growth: small when it levels off. */
  readonly logMisfit: number;
};

const NEWEST = 5;
const NEWER = 7;
/** From so many blocks on the newer ones alone give the slope. */
const MANY = 9;

/** Measures the growth of at least two blocks; `leadS` is how long before the first block training began. */
export const measureGrowth = (blocks: readonly MemoryBlock[], leadS: number): MemoryGrowth => {
  const firstAt = blocks[0]?.at ?? 0;
  const seconds = blocks.map((block) => (block.at - firstAt) / 1000);
  const used = blocks.map((block) => block.used);
  const all = theilSen(seconds, used);
  const newer = theilSen(seconds.slice(-NEWER), used.slice(-NEWER)).slope;
  const newest = theilSen(seconds.slice(-NEWEST), used.slice(-NEWEST)).slope;
  const overS = seconds.at(-1) ?? 0;
  const bytes = all.slope * overS;
  const jumps = used.slice(1).map((value, i) => value - (used[i] ?? value));
  return {
    z: kendallZ(used),
    bytes,
    overS,
    now: Math.max(...used.slice(-2)),
    slope: blocks.length >= MANY && newer > 0 ? newer : all.slope,
    smallestSlope: Math.min(all.slope, newer),
    newestShare: all.slope > 0 ? newest / all.slope : 0,
    jumpShare: bytes > 0 ? Math.max(...jumps) / bytes : 1,
    logMisfit: logarithmicMisfit(
      seconds.map((second) => Math.log(second + leadS)),
      seconds,
      used,
    ),
  };
};

/** Both fits by Theil-Sen, both misfits as the median absolute residual. */
const logarithmicMisfit = (logs: readonly number[], seconds: readonly number[], used: readonly number[]): number => {
  const misfit = (xs: readonly number[]): number => {
    const { slope, intercept } = theilSen(xs, used);
    return median(used.map((value, i) => Math.abs(value - intercept - slope * (xs[i] ?? 0))));
  };
  const steady = misfit(seconds);
  return steady > 0 ? misfit(logs) / steady : 1;
};
