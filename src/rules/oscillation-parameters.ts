import type { Parameters, ParameterValues } from './rule.ts';

/** When mAP swings more than noise would; the limits of R² are calibrated for their windows. */
export const OSCILLATION_PARAMETERS = {
  r2Over14: {
    default: 0.87,
    minimum: 0.5,
    maximum: 0.99,
    unit: 'R²',
    description: 'share of variance that a sinusoid must explain in a window of 14 rows (99.9 % quantile under noise)',
  },
  r2Over20: { default: 0.74, minimum: 0.5, maximum: 0.99, unit: 'R²', description: 'the same for 20 rows' },
  r2Over28: { default: 0.61, minimum: 0.5, maximum: 0.99, unit: 'R²', description: 'the same for 28 rows' },
  r2Clear: {
    default: 0.05,
    minimum: 0,
    maximum: 0.5,
    unit: 'R²',
    description: 'excess over those at which one row is enough to fire',
  },
  amplitude: { default: 0.0015, minimum: 0, maximum: 0.5, unit: 'mAP', description: 'least amplitude of the sinusoid' },
  excessRatio: {
    default: 2.4,
    minimum: 1.2,
    maximum: 20,
    unit: '×',
    description: "changes from row to row, against the run's own past",
  },
  excessChange: {
    default: 0.008,
    minimum: 0,
    maximum: 0.5,
    unit: 'mAP',
    description: 'least root mean square of those changes',
  },
  excessDrift: {
    default: 0.5,
    minimum: 0.1,
    maximum: 1,
    unit: 'of the way',
    description: 'a net change larger than this share of all changes is a fall or a rise, not swinging',
  },
  settledRows: {
    default: 10,
    minimum: 0,
    maximum: 100,
    unit: 'rows',
    description: 'first rows that are never looked at',
  },
  settledShare: {
    default: 0.06,
    minimum: 0,
    maximum: 0.5,
    unit: 'of the run',
    description: 'the same as a share of the planned epochs; the larger counts',
  },
} as const satisfies Parameters;

/** The values in force. */
export type OscillationLimits = ParameterValues<typeof OSCILLATION_PARAMETERS>;
