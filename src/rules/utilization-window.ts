/** GPU utilization (%) of the last minutes, oldest first, as two columns of equal length. */
export type UtilizationWindow = { at: number[]; utilization: number[] };

export const emptyWindow = (): UtilizationWindow => ({ at: [], utilization: [] });

/** Adds a sample and forgets those older than `lengthS`. */
export const pushUtilization = (window: UtilizationWindow, at: number, utilization: number, lengthS: number): void => {
  window.at.push(at);
  window.utilization.push(Math.round(utilization));
  const oldest = at - lengthS * 1000;
  while ((window.at[0] ?? at) < oldest) {
    window.at.shift();
    window.utilization.shift();
  }
};

/** A quantile by a histogram of whole percents: a sort of 600 values every second would cost ten times as much. */
export const utilizationQuantile = (window: UtilizationWindow, q: number): number => {
  const histogram = new Uint32Array(101);
  for (const value of window.utilization) histogram[value] = (histogram[value] ?? 0) + 1;
  const rank = Math.floor(q * window.utilization.length);
  let below = 0;
  return histogram.findIndex((count) => {
    below += count;
    return below > rank;
  });
};

/** The samples from `since` on: their values, and how many seconds they stand for (a sample for at most `longestS`). */
export const utilizationSince = (
  window: UtilizationWindow,
  since: number,
  longestS: number,
): { readonly values: readonly number[]; readonly coveredS: number } => {
  let first = window.at.length;
  let coveredMs = 0;
  while (first > 0 && (window.at[first - 1] ?? 0) >= since) {
    first--;
    const before = window.at[first - 1];
    if (before !== undefined) coveredMs += Math.min((window.at[first] ?? 0) - before, longestS * 1000);
  }
  return { values: window.utilization.slice(first), coveredS: coveredMs / 1000 };
};
