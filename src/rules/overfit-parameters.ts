import type { Parameters, ParameterValues } from './rule.ts';

/** When a validation loss rises for good. */
export const OVERFIT_PARAMETERS = {
  minimumRise: {
    default: 0.05,
    minimum: 0.01,
    maximum: 1,
    unit: '',
    description: 'least share of the smoothed validation loss above its own best',
  },
  sigmas: {
    default: 2.5,
    minimum: 1,
    maximum: 20,
    unit: 'σ',
    description: "the same in the loss's own robust noise; the larger counts",
  },
  againRise: {
    default: 0.04,
    minimum: 0,
    maximum: 1,
    unit: '',
    description: 'it fires again only so far beyond the largest rise that it told of',
  },
  trendRows: { default: 16, minimum: 8, maximum: 25, unit: 'rows', description: 'rows that the trends are taken from' },
  trendZ: { default: 2.2, minimum: 1, maximum: 5, unit: 'z', description: "Kendall's z of the validation loss" },
  trainZ: {
    default: 0.5,
    minimum: -3,
    maximum: 3,
    unit: 'z',
    description: "Kendall's z of the training loss stays below this",
  },
  mapGain: {
    default: 0.004,
    minimum: 0,
    maximum: 0.2,
    unit: 'mAP',
    description: 'gain of mAP50-95 over those rows at which a rise is only noted',
  },
  holdShare: {
    default: 0.04,
    minimum: 0,
    maximum: 0.5,
    unit: 'of the run',
    description: 'how long it must last, as a share of the planned epochs, and 4 rows at least',
  },
  settledRows: {
    default: 9,
    minimum: 0,
    maximum: 100,
    unit: 'rows',
    description: 'first rows in which there is no best yet',
  },
} as const satisfies Parameters;

/** The values in force. */
export type OverfitLimits = ParameterValues<typeof OVERFIT_PARAMETERS>;
