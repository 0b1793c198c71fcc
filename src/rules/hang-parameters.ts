import type { Parameters, ParameterValues } from './rule.ts';

/** When a training that lives does nothing. */
export const HANG_PARAMETERS = {
  idleUtilization: {
    default: 5,
    minimum: 1,
    maximum: 50,
    unit: '%',
    description: 'GPU utilization below which it idles',
  },
  idleCpu: {
    default: 20,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'CPU below which the host idles, median of 15 samples',
  },
  idleDisk: { default: 40, minimum: 1, maximum: 100, unit: '%', description: 'the same for the busiest disk' },
  idleRead: {
    default: 10,
    minimum: 0.1,
    maximum: 10_000,
    unit: 'MB/s',
    description: 'the same for what is read from disks',
  },
  idleS: {
    default: 90,
    minimum: 10,
    maximum: 7200,
    unit: 's',
    description: 'shortest time of all idling that is a hang',
  },
  boundaryFactor: {
    default: 2.5,
    minimum: 1,
    maximum: 20,
    unit: '×',
    description: 'and it must be so many times the longest pause between epochs, plus 20 s',
  },
  spinUtilization: {
    default: 75,
    minimum: 10,
    maximum: 100,
    unit: '%',
    description: 'GPU utilization of a deadlock that spins',
  },
  spinPowerShare: {
    default: 0.6,
    minimum: 0.1,
    maximum: 1,
    unit: '×',
    description: "power below this share of the run's own at work speaks for a deadlock",
  },
  spinWorkers: {
    default: 10,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'CPU of a dataloader worker below which nobody feeds the GPU',
  },
  spinS: { default: 45, minimum: 10, maximum: 3600, unit: 's', description: 'how long it must spin' },
  workPowerUtilization: {
    default: 60,
    minimum: 10,
    maximum: 100,
    unit: '%',
    description: 'utilization from which on the power is that of work',
  },
  lateFactor: {
    default: 2.5,
    minimum: 1,
    maximum: 20,
    unit: '×',
    description: 'a row is overdue after so many epochs',
  },
  lateS: { default: 90, minimum: 0, maximum: 7200, unit: 's', description: 'and so many seconds' },
  clearUtilization: {
    default: 20,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'utilization at which it is over',
  },
  workingUtilization: {
    default: 40,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'training has begun after 10 s at this',
  },
  restartShare: {
    default: 0.3,
    minimum: 0.01,
    maximum: 0.9,
    unit: '',
    description: 'the process began anew when its GPU memory falls below this share of what it held',
  },
} as const satisfies Parameters;

/** The values in force. */
export type HangLimits = ParameterValues<typeof HANG_PARAMETERS>;
