import { mad, mean, median } from '../core/statistics.ts';
import { type UtilizationWindow, utilizationSince } from './utilization-window.ts';

/** Mean GPU utilization of the epochs of a training process, those with a stall left out. */
export type EpochUtilization = {
  /** Of the last epochs, %. */
  means: number[];
  /** Of the epoch that goes on. */
  sum: number;
  samples: number;
  coveredS: number;
  stalled: boolean;
};

const KEPT_EPOCHS = 15;
/** An epoch counts when this share of it was sampled. */
const SAMPLED_SHARE = 0.6;
const WINDOW_SHARE = 0.7;
const SHORTEST_WINDOW_S = 120;
const LONGEST_WINDOW_S = 600;
const SMALLEST_DEVIATION = 2;

export const noEpochs = (): EpochUtilization => ({ means: [], sum: 0, samples: 0, coveredS: 0, stalled: false });

export const addToEpoch = (epochs: EpochUtilization, utilization: number, elapsedS: number): void => {
  epochs.sum += utilization;
  epochs.samples++;
  epochs.coveredS += elapsedS;
};

/** Ends an epoch of `lengthS` seconds; null when it was not seen from its beginning. */
export const endEpoch = (epochs: EpochUtilization, lengthS: number | null): void => {
  const { means, sum, samples, coveredS, stalled } = epochs;
  if (lengthS !== null && !stalled && samples > 0 && coveredS > SAMPLED_SHARE * lengthS) means.push(sum / samples);
  if (means.length > KEPT_EPOCHS) means.shift();
  Object.assign(epochs, { ...noEpochs(), means });
};

/** Mean utilization of late beside that of earlier epochs, %, and the robust deviation of those. */
export type EpochComparison = { readonly mean: number; readonly usual: number; readonly deviation: number };

/**
 * Compares the last whole epochs' length with earlier epochs: a window of that length holds as much validation and
 * checkpointing, wherever it begins, so that their share cancels out. null where too little is known.
 */
export const compareWithEpochs = (
  epochs: EpochUtilization,
  window: UtilizationWindow,
  epochS: number,
  now: { readonly at: number; readonly trainingBeganAt: number; readonly longestSampleS: number },
): EpochComparison | null => {
  const windowS =
    epochS < SHORTEST_WINDOW_S ? epochS * Math.ceil(SHORTEST_WINDOW_S / epochS) : Math.min(epochS, LONGEST_WINDOW_S);
  const since = now.at - windowS * 1000;
  if (epochs.means.length < 2 || now.trainingBeganAt > since) return null;
  const { values, coveredS } = utilizationSince(window, since, now.longestSampleS);
  if (coveredS < WINDOW_SHARE * windowS) return null;
  const usual = median(epochs.means);
  return { mean: mean(values), usual, deviation: Math.max(mad(epochs.means, usual), SMALLEST_DEVIATION) };
};
