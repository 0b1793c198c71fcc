const WIDTH = 5;

/** Bins of percents: [0, 5), [5, 10), … [95, 100), and one of its own for 100. */
export const BINS = 21;

/** The bin of a percent; what is outside of 0 to 100 is in the first or the last one. */
export const binOf = (percent: number): number => Math.min(BINS - 1, Math.max(0, Math.floor(percent / WIDTH)));

/**
 * A quantile of percents that only their bins are left of (see the 60 s rollups), by straight lines through each bin;
 * off by less than the width of a bin. NaN where the bins are empty.
 */
export const quantileOfBins = (bins: readonly number[], q: number): number => {
  const wanted = q * bins.reduce((total, count) => total + count, 0);
  let before = 0;
  let last = Number.NaN;
  for (const [bin, count] of bins.entries()) {
    if (count === 0) continue;
    if (before + count >= wanted) return bin * WIDTH + ((wanted - before) / count) * widthOf(bin);
    before += count;
    last = bin * WIDTH + widthOf(bin);
  }
  return last;
};

/** The share of the values, 0 to 1, that are under `limit`, %; a bin that the limit cuts counts by where it is cut. */
export const shareBelow = (bins: readonly number[], limit: number): number => {
  let below = 0;
  let all = 0;
  for (const [bin, count] of bins.entries()) {
    all += count;
    const width = widthOf(bin);
    const cut = width === 0 ? Number(limit > 100) : (limit - bin * WIDTH) / width;
    below += count * Math.min(1, Math.max(0, cut));
  }
  return below / all;
};

const widthOf = (bin: number): number => (bin * WIDTH >= 100 ? 0 : WIDTH);
