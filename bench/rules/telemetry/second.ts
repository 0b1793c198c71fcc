import { THROTTLE_BITS } from '../../../src/core/metrics.ts';
import type { Random } from '../random.ts';
import type { Label } from '../scenario.ts';
import type { Machine } from './machine.ts';

export type TrainingPhase = 'start' | 'train' | 'val' | 'eval' | 'save' | 'between';

/** One second in the making, in the units of {@link Machine}; `throttle` is NVML's bits. */
export type Second = {
  readonly t: number;
  readonly phase: TrainingPhase;
  /** An epoch row is written. */
  row: boolean;
  utilization: number;
  power: number;
  clock: number;
  temperature: number;
  throttle: number;
  /** Memory of the GPU: all, what others hold, what the training holds. */
  memory: number;
  otherMemory: number;
  runMemory: number;
  cpu: number;
  workersCpu: number;
  /** Share of the workers that wait for I/O. */
  workersBlocked: number;
  iowait: number;
  diskBusy: number;
  diskRead: number;
  pressureIo: number;
  pressureCpu: number;
  ramUsed: number;
  diskFree: number;
};

/** When a second is. `epoch` counts from 0. */
export type Moment = {
  readonly t: number;
  readonly phase: TrainingPhase;
  readonly epoch: number;
  readonly inFault: boolean;
};

/** What becomes of a training on its machine: the hooks are called in this order, each once a second at most. */
export type Course = {
  readonly labels?: readonly Label[];
  readonly durationS?: number;
  /** When the fault is over. */
  readonly faultEndsAt?: number;
  /** The training hangs from the fault on. */
  readonly hang?: 'idle' | 'spin';
  /** Share of a second's work that gets done. */
  readonly pace?: (moment: Moment) => number;
  readonly utilize?: (second: Second) => void;
  /** What else runs on the host. */
  readonly crowd?: (second: Second) => void;
  readonly starve?: (second: Second, moment: Moment) => void;
  /** True: the transient slow-down of a change of power state is part of it. */
  readonly slowGpu?: (second: Second, moment: Moment) => boolean;
  /** The GPU runs hot while the fault lasts. */
  readonly overheats?: true;
  /** Memory beside that of a healthy training; and what it is multiplied by. */
  readonly moreMemory?: (moment: Moment) => number;
  readonly memoryShare?: () => number;
  readonly neighbor?: (second: Second, moment: Moment) => void;
  readonly moreRam?: (t: number) => number;
  readonly lessDisk?: (t: number) => number;
  /** No sample of this second comes. */
  readonly isLost?: () => boolean;
};

export type Kind = (random: Random, machine: Machine) => Course;

export const IDLE = THROTTLE_BITS.gpu_idle;
export const POWER_CAP = THROTTLE_BITS.sw_power_cap;
export const HW_SLOWDOWN = THROTTLE_BITS.hw_slowdown;
export const SW_THERMAL = THROTTLE_BITS.sw_thermal_slowdown;
export const HW_THERMAL = THROTTLE_BITS.hw_thermal_slowdown;
export const POWER_BRAKE = THROTTLE_BITS.hw_power_brake_slowdown;
