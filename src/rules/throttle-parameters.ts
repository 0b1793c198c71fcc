import type { Parameters, ParameterValues } from './rule.ts';

/** When a GPU is slowed down, and when that is worth a word (RULES 4.6). */
export const THROTTLE_PARAMETERS = {
  hardwareWindowS: { default: 30, minimum: 5, maximum: 600, unit: 's', description: 'Window of hardwareShare.' },
  hardwareShare: {
    default: 0.5,
    minimum: 0.05,
    maximum: 1,
    unit: '',
    description: 'Share of the window in which the hardware slowed the GPU down (heat, power brake) that is critical.',
  },
  thermalWindowS: { default: 60, minimum: 5, maximum: 600, unit: 's', description: 'Window of thermalShare.' },
  thermalShare: {
    default: 0.3,
    minimum: 0.05,
    maximum: 1,
    unit: '',
    description: 'Share of the window in which the driver slowed it down because of heat that is a warning,',
  },
  thermalClock: {
    default: 0.93,
    minimum: 0.3,
    maximum: 1,
    unit: '×',
    description: 'if the SM clock is also below this share of its usual one.',
  },
  powerClock: {
    default: 0.8,
    minimum: 0.3,
    maximum: 1,
    unit: '×',
    description:
      'The power cap is normal under full load; it is noted when the SM clock is below this share of its usual one for 120 s.',
  },
  clearShare: {
    default: 0.1,
    minimum: 0,
    maximum: 1,
    unit: '',
    description: 'Share of either window below which a GPU at work is slowed down no more.',
  },
  busyUtilization: {
    default: 50,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'Utilization from which on the GPU is at work: only then its clock says anything.',
  },
} as const satisfies Parameters;

/** The values in force. */
export type ThrottleLimits = ParameterValues<typeof THROTTLE_PARAMETERS>;
