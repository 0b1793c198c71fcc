import type { Parameters, ParameterValues } from './rule.ts';

/** How far a training loss may stray from its course before it is a spike. */
export const SPIKE_PARAMETERS = {
  sigmas: {
    default: 6,
    minimum: 3,
    maximum: 20,
    unit: 'σ',
    description: "rise above the forecast, in the run's own robust noise",
  },
  minimumRise: {
    default: 0.06,
    minimum: 0.01,
    maximum: 2,
    unit: 'ln',
    description: 'least rise above the forecast, as a difference of logarithms (0.06 is about 6 %)',
  },
  minimumStep: {
    default: 0.03,
    minimum: 0,
    maximum: 1,
    unit: 'ln',
    description: 'least rise above each of the last two ordinary rows',
  },
  baselineRows: {
    default: 10,
    minimum: 5,
    maximum: 30,
    unit: 'rows',
    description: 'ordinary rows that the forecast is drawn from',
  },
  noiseRows: {
    default: 24,
    minimum: 8,
    maximum: 100,
    unit: 'rows',
    description: 'residuals that the noise is taken from',
  },
  noiseFloor: {
    default: 0.004,
    minimum: 0.0001,
    maximum: 0.1,
    unit: 'ln',
    description: 'least noise that is believed',
  },
  noiseAtFirst: {
    default: 0.03,
    minimum: 0.001,
    maximum: 0.5,
    unit: 'ln',
    description: 'noise assumed until there are 8 residuals',
  },
  criticalFactor: {
    default: 4,
    minimum: 1,
    maximum: 50,
    unit: '× threshold',
    description: 'critical beyond so many times the threshold',
  },
  criticalRise: {
    default: 0.4,
    minimum: 0.05,
    maximum: 5,
    unit: 'ln',
    description: 'critical only beyond this rise (0.4 is about 50 %)',
  },
  levelRows: {
    default: 8,
    minimum: 3,
    maximum: 50,
    unit: 'rows',
    description: 'raised rows in a row that make a new level: the baseline starts over',
  },
  earlyEpochs: {
    default: 10,
    minimum: 0,
    maximum: 50,
    unit: 'epochs',
    description: 'first epochs in which a bump is noted as early instability',
  },
  earlyRise: {
    default: 0.1,
    minimum: 0.01,
    maximum: 2,
    unit: '',
    description: 'share above the lowest loss so far that begins the note',
  },
  earlyReturn: {
    default: 0.01,
    minimum: 0,
    maximum: 1,
    unit: '',
    description: 'share above that lowest loss that ends it',
  },
} as const satisfies Parameters;

/** The values in force. */
export type SpikeLimits = ParameterValues<typeof SPIKE_PARAMETERS>;
