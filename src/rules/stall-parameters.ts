import { INPUT_CAUSE_PARAMETERS } from './input-cause.ts';
import type { ParameterValues } from './rule.ts';
import { STARVATION_PARAMETERS } from './starvation.ts';

/** Every threshold of `dataloader_stall`. */
export const STALL_PARAMETERS = {
  idleUtilization: {
    default: 10,
    minimum: 1,
    maximum: 50,
    unit: '%',
    description: 'The GPU idles below this utilization, or below idleShare of its usual one.',
  },
  idleShare: {
    default: 0.25,
    minimum: 0.05,
    maximum: 0.8,
    unit: '',
    description: 'See idleUtilization; the usual one is the 75th percentile of utilizationWindowS.',
  },
  utilizationWindowS: {
    default: 600,
    minimum: 60,
    maximum: 3600,
    unit: 's',
    description: 'Window of the usual utilization.',
  },
  busyShare: {
    default: 0.8,
    minimum: 0.3,
    maximum: 1,
    unit: '',
    description: 'Training is busy when the median of 5 s reaches this share of the usual utilization.',
  },
  workingUtilization: {
    default: 40,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'Training has begun after 10 s at this utilization.',
  },
  gapS: {
    default: 8,
    minimum: 2,
    maximum: 600,
    unit: 's',
    description: 'Longest idle run in the middle of an epoch that is no stall.',
  },
  gapPeriods: {
    default: 2.5,
    minimum: 1,
    maximum: 20,
    unit: '',
    description: 'With slow sampling: as many sample periods instead of gapS.',
  },
  boundaryGapS: {
    default: 25,
    minimum: 5,
    maximum: 3600,
    unit: 's',
    description: 'Longest idle run between two epochs that is no stall, if what was learned is not longer.',
  },
  ratio: {
    default: 0.05,
    minimum: 0.01,
    maximum: 1,
    unit: '',
    description: 'Share of ratioWindowS lost in at least two pauses from which on it is a stall.',
  },
  ratioClear: {
    default: 0.02,
    minimum: 0,
    maximum: 1,
    unit: '',
    description: 'Share lost below which a stall is over.',
  },
  ratioCritical: {
    default: 0.2,
    minimum: 0.01,
    maximum: 1,
    unit: '',
    description: 'Share lost from which on a stall is critical.',
  },
  dropShare: {
    default: 0.75,
    minimum: 0.1,
    maximum: 1,
    unit: '',
    description: 'Mean utilization over an epoch, as a share of that of earlier epochs, below which it is a stall.',
  },
  dropDeviations: {
    default: 5,
    minimum: 1,
    maximum: 50,
    unit: '',
    description: 'So many robust deviations of earlier epochs below them, too.',
  },
  dropCritical: {
    default: 0.5,
    minimum: 0.05,
    maximum: 1,
    unit: '',
    description: 'As dropShare, for critical.',
  },
  dropHoldS: {
    default: 20,
    minimum: 0,
    maximum: 600,
    unit: 's',
    description: 'How long a drop has to hold before it fires.',
  },
  startupS: {
    default: 600,
    minimum: 0,
    maximum: 7200,
    unit: 's',
    description: 'Without a row so far: this long after training began only idle runs over startupGapS are judged.',
  },
  startupGapS: { default: 120, minimum: 10, maximum: 3600, unit: 's', description: 'See startupS.' },
  rowlessGapS: {
    default: 60,
    minimum: 5,
    maximum: 3600,
    unit: 's',
    description: 'After startupS without a row: as gapS.',
  },
  rowlessAllowance: {
    default: 0.1,
    minimum: 0,
    maximum: 1,
    unit: '',
    description: 'Without a row so far: share of lost time that may be boundaries between epochs.',
  },
  firstEpochS: {
    default: 900,
    minimum: 0,
    maximum: 86_400,
    unit: 's',
    description: 'The first epoch only informs for this long: cold caches make it slow.',
  },
  restartShare: {
    default: 0.3,
    minimum: 0.01,
    maximum: 0.9,
    unit: '',
    description: 'The process began anew when its GPU memory falls below this share of what it held.',
  },
  ...STARVATION_PARAMETERS,
  ...INPUT_CAUSE_PARAMETERS,
} as const;

/** The values in force. */
export type StallParameters = ParameterValues<typeof STALL_PARAMETERS>;
