import { mad } from '../core/statistics.ts';

/** Fewer differences than this say nothing of the noise. */
const LEAST_DIFFERENCES = 8;

/** The robust standard deviation of the noise of a series with a trend, in its own unit; null where it is too short. */
export const noiseOf = (values: readonly number[]): number | null => {
  const differences = values.slice(1).map((value, i) => value - (values[i] ?? value));
  return differences.length < LEAST_DIFFERENCES ? null : mad(differences) / Math.SQRT2;
};
