/** How long to wait from one tick to the next: longer while the driver is slow, so that we never keep it busy. */
export type Pace = {
  /** Takes how long a tick took; returns the period that holds now. Both ms. */
  readonly after: (tookMs: number) => number;
};

const WINDOW = 20;
/** The 95th percentile of 20, by nearest rank: one tick in 20 may be slow. */
const RANK = 18;
const TOO_MUCH = 0.25;
const LITTLE = 0.1;
/** Five periods of silence count as a hang, and those are the periods that were asked for. */
const AT_MOST_TIMES = 4;

/**
 * Doubles the period when ticks take a quarter of it, and comes back in steps of half the period that was asked for once
 * they take less than a tenth: fast to yield, slow to return, as TCP does it (AIMD). Says each change.
 */
export const createPace = (intervalMs: number, remark: (text: string) => void): Pace => {
  let periodMs = intervalMs;
  let durations: number[] = [];

  const change = (toMs: number, tookMs: number): void => {
    const took = `ticks take ${Math.ceil(tookMs)} ms of ${periodMs}`;
    remark(`${took}: GPUs are sampled every ${toMs} ms ${toMs === intervalMs ? 'again' : 'for now'}`);
    periodMs = toMs;
  };

  return {
    after: (tookMs) => {
      durations.push(tookMs);
      if (durations.length < WINDOW) return periodMs;
      const slow = durations.sort((a, b) => a - b)[RANK] ?? 0;
      durations = [];
      if (slow > periodMs * TOO_MUCH && periodMs < intervalMs * AT_MOST_TIMES)
        change(Math.min(periodMs * 2, intervalMs * AT_MOST_TIMES), slow);
      else if (slow < periodMs * LITTLE && periodMs > intervalMs)
        change(Math.max(periodMs - intervalMs / 2, intervalMs), slow);
      return periodMs;
    },
  };
};
