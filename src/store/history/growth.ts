import { COUNTER_GAP_MS } from './rollup.ts';

/** What counters grow by from sample to sample. */
export type Growth = {
  /** What it grew by since the sample before, which is asked once for each sample; NaN: there is none to compare with. */
  readonly next: (metric: string, at: number, value: number) => number;
};

/** Growth belongs to the later of two samples. A late sample has none; a fall is a counter that began again from 0. */
export const createGrowth = (): Growth => {
  const before = new Map<string, { at: number; value: number }>();
  return {
    next: (metric, at, value) => {
      const last = before.get(metric);
      if (last === undefined) {
        before.set(metric, { at, value });
        return Number.NaN;
      }
      const passedMs = at - last.at;
      // A clock that was set back begins anew: what is later than its newest sample by less is late.
      if (passedMs <= 0 && -passedMs <= COUNTER_GAP_MS) return Number.NaN;
      const grown = value < last.value ? value : value - last.value;
      last.at = at;
      last.value = value;
      return passedMs > 0 && passedMs <= COUNTER_GAP_MS ? grown : Number.NaN;
    },
  };
};
