import type { Random } from '../random.ts';
import type { Label } from '../scenario.ts';
import type { Machine } from './machine.ts';
import { type Course, HW_SLOWDOWN, HW_THERMAL, type Kind, POWER_BRAKE, SW_THERMAL } from './second.ts';
import { slowInput, stalls } from './starving.ts';

/** What a rule must find in samples, with its truth. */
export const FAULT_KINDS = {
  stall_disk: (random, machine) => stalls(random, machine, 'disk'),
  stall_cpu: (random, machine) => stalls(random, machine, 'cpu'),
  stall_other: (random, machine) => stalls(random, machine, 'other'),
  disk_bound: (random, machine) => slowInput(random, machine, 'disk'),
  cpu_bound: (random, machine) => slowInput(random, machine, 'cpu'),
  few_workers: (random, machine) => slowInput(random, machine, 'workers'),
  leak_gpu: (random, machine) => leak(random, machine),
  leak_gpu_saw: (random, machine) => leak(random, machine),

  /** The GPU is nearly full from one second to the next. */
  step_gpu: ({ uniform }, { gpuMemory, memory, grownMemory, otherMemory, faultAt, durationS }) => {
    const step = gpuMemory * uniform(0.965, 0.99) - (memory + 0.5 * grownMemory + otherMemory);
    return {
      labels: [{ rule: 'oom_risk', start: faultAt, end: durationS, deadline: faultAt + 180, required: true }],
      moreMemory: ({ t }) => {
        if (t < faultAt) return 0;
        return step * (1 - Math.exp(-(t - faultAt) / 3)) * (t < faultAt + 60 ? 1 : uniform(0.985, 1.005));
      },
    };
  },

  leak_ram: ({ uniform }, machine) => {
    const leftS = uniform(1500, 9000);
    const rate = (machine.ram - machine.ramUsed) / leftS;
    return {
      ...runsOut('host_memory', machine, leftS),
      moreRam: (t) => (t < machine.faultAt ? 0 : rate * (t - machine.faultAt)),
    };
  },

  disk_full: ({ uniform }, machine) => {
    const leftS = uniform(1200, 7000);
    const rate = machine.diskFree / leftS;
    return {
      ...runsOut('disk_full', machine, leftS),
      lessDisk: (t) => (t < machine.faultAt ? 0 : rate * (t - machine.faultAt)),
    };
  },

  throttle_thermal: ({ uniform, unit, gauss }, machine) => {
    const { start, end } = lasting(machine, uniform(400, 1500));
    const share = uniform(0.6, 0.85);
    return {
      labels: [
        { rule: 'gpu_throttle', start, end, deadline: start + 240, required: true, cause: 'thermal', grade: share },
        { rule: 'low_gpu_util', start, end, deadline: end, required: false },
      ],
      faultEndsAt: end,
      pace: slowed(share),
      overheats: true,
      slowGpu: (second, { inFault, phase }) => {
        if (!inFault || phase !== 'train') return false;
        second.throttle |= unit() < 0.8 ? SW_THERMAL : HW_THERMAL | HW_SLOWDOWN;
        second.clock = machine.clock * share + gauss(0, 15);
        return false;
      },
    };
  },

  power_brake: ({ uniform, gauss }, machine) => {
    const { start, end } = lasting(machine, uniform(120, 900));
    const share = uniform(0.3, 0.55);
    return {
      labels: [{ rule: 'gpu_throttle', start, end, deadline: start + 120, required: true, cause: 'hw', grade: share }],
      faultEndsAt: end,
      pace: slowed(share),
      slowGpu: (second, { inFault, phase }) => {
        if (!inFault || (phase !== 'train' && phase !== 'val')) return false;
        second.throttle |= HW_SLOWDOWN | POWER_BRAKE;
        second.clock = machine.clock * share + gauss(0, 10);
        return true;
      },
    };
  },

  hang_idle: (_random, machine) => hang(machine, 'idle'),
  hang_spin: (_random, machine) => hang(machine, 'spin'),

  /** Another program takes a part of the GPU's memory. */
  neighbor_gpu: ({ uniform }, machine) => {
    const { gpuMemory, memory, grownMemory, valMemory } = machine;
    const { start, end } = lasting(machine, uniform(600, 1500));
    const wanted = uniform(0.1, 0.3) * gpuMemory;
    const free = Math.max(2000, 0.93 * gpuMemory - memory - grownMemory - valMemory);
    const taken = memory + wanted > 0.93 * gpuMemory ? free : wanted;
    return {
      labels: [
        { rule: 'neighbor_gpu', start, end, deadline: start + 90, required: true },
        { rule: 'oom_risk', start, end, deadline: end, required: false },
      ],
      faultEndsAt: end,
      neighbor: (second, { inFault, phase }) => {
        if (!inFault) return;
        second.otherMemory += taken;
        if (phase !== 'train') second.utilization = Math.min(100, second.utilization + uniform(5, 40));
      },
    };
  },
} as const satisfies Record<string, Kind>;

const lasting = ({ durationS, faultAt }: Machine, seconds: number) => ({
  start: faultAt,
  end: Math.min(durationS, faultAt + Math.floor(seconds)),
});

const slowed =
  (share: number): NonNullable<Course['pace']> =>
  ({ inFault, phase }) =>
    inFault && phase === 'train' ? share : 1;

/** GPU memory that grows evenly until there is none. */
const leak = ({ uniform }: Random, machine: Machine): Course => {
  const { gpuMemory, memory, grownMemory, valMemory, otherMemory, faultAt, trainS, valS } = machine;
  const leftS = uniform(1500, 9000);
  const rate = (gpuMemory - memory - grownMemory - valMemory - otherMemory) / leftS;
  const emptyAt = faultAt + leftS;
  const durationS = Math.min(machine.durationS, Math.floor(emptyAt));
  const lastsS = durationS - faultAt;
  const epochS = trainS + valS;
  const label: Label = {
    ...{ rule: 'oom_risk', start: faultAt, end: durationS, emptyAt },
    deadline: Math.min(durationS, faultAt + Math.max(600, 0.5 * leftS, 5 * epochS)),
    required: lastsS > Math.max(900, 7 * epochS) && rate * lastsS > 0.02 * gpuMemory,
  };
  return {
    labels: [label],
    durationS,
    moreMemory: ({ t, inFault }) => (inFault ? rate * (t - faultAt) : 0),
  };
};

/** The labels of something on the host that is gone after `leftS`, which ends the run. */
const runsOut = (rule: string, { durationS: usualS, faultAt }: Machine, leftS: number): Course => {
  const emptyAt = faultAt + leftS;
  const durationS = Math.min(usualS, Math.floor(emptyAt));
  const deadline = Math.min(durationS, faultAt + Math.max(600, 0.5 * leftS));
  const required = durationS - faultAt > 900;
  return { labels: [{ rule, start: faultAt, end: durationS, deadline, required, emptyAt }], durationS };
};

const hang = ({ durationS: usualS, faultAt: start, trainS, valS }: Machine, cause: 'idle' | 'spin'): Course => {
  const deadline = start + Math.max(300, 1.5 * (trainS + valS) + 120);
  const durationS = Math.max(usualS, Math.floor(deadline) + 300);
  const aside = { start, end: durationS, deadline: durationS, required: false };
  return {
    labels: [
      { rule: 'hang', start, end: durationS, deadline, required: true, cause },
      { rule: 'dataloader_stall', ...aside },
      { rule: 'low_gpu_util', ...aside },
    ],
    durationS,
    hang: cause,
  };
};
