import type { Parameters, ParameterValues } from './rule.ts';

/** When a curve is too flat for its time. */
export const PLATEAU_PARAMETERS = {
  windowRows: {
    default: 20,
    minimum: 8,
    maximum: 120,
    unit: 'rows',
    description: 'rows that are compared, half against half',
  },
  windowShare: {
    default: 0.3,
    minimum: 0.05,
    maximum: 0.9,
    unit: 'of the rows',
    description: 'the same as a share of the rows so far',
  },
  error: {
    default: 0.007,
    minimum: 0.001,
    maximum: 0.1,
    unit: '',
    description: 'standard error of the improvement that the window must be long enough for (120 rows at most)',
  },
  gain: {
    default: 0.004,
    minimum: 0,
    maximum: 0.2,
    unit: '',
    description: 'improvement of the training loss below which it is flat',
  },
  mapGain: {
    default: 0.005,
    minimum: 0,
    maximum: 0.2,
    unit: 'mAP',
    description: 'gain of mAP50 below which that is flat',
  },
  rateShare: {
    default: 0.25,
    minimum: 0,
    maximum: 1,
    unit: 'of its peak',
    description: 'a flat curve at a lower learning rate is no plateau',
  },
  lateShare: {
    default: 0.8,
    minimum: 0.1,
    maximum: 1,
    unit: 'of the run',
    description: 'nor is one after this share of the planned epochs',
  },
  startRows: {
    default: 15,
    minimum: 5,
    maximum: 100,
    unit: 'rows',
    description: 'from this row on a run must have begun to learn',
  },
  startUntil: {
    default: 40,
    minimum: 5,
    maximum: 200,
    unit: 'rows',
    description: 'after this row that is no question any more',
  },
  startMap: { default: 0.01, minimum: 0, maximum: 0.5, unit: 'mAP', description: 'mAP50 that counts as having begun' },
  startLoss: {
    default: 0.97,
    minimum: 0.5,
    maximum: 1,
    unit: '',
    description: "share of the first row's training loss that counts as having begun",
  },
} as const satisfies Parameters;

/** The values in force. */
export type PlateauLimits = ParameterValues<typeof PLATEAU_PARAMETERS>;
