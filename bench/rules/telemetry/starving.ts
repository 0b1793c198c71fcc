import type { Random } from '../random.ts';
import type { Machine } from './machine.ts';
import type { Course, Second } from './second.ts';

/** The GPU stands still again and again for `grade` seconds, because no batch comes. */
export const stalls = (random: Random, machine: Machine, cause: 'disk' | 'cpu' | 'other'): Course => {
  const { uniform, unit } = random;
  const { faultAt: start, durationS } = machine;
  const stallS = random.choice([2, 3, 5, 8, 15, 30, 60]);
  const everyS = Math.max(stallS * uniform(1.6, 9), 12);
  const end = Math.min(durationS, start + Math.floor(Math.max(600, 4 * everyS)));
  let left = 0;
  let nextAt = start;
  let stalled = false;
  return {
    labels: [
      {
        ...{ rule: 'dataloader_stall', start, end, deadline: start + Math.max(180, 3 * everyS) },
        ...{ required: stallS / everyS >= 0.06, cause, grade: stallS },
      },
      { rule: 'low_gpu_util', start, end: end + 300, deadline: end + 300, required: false },
      { rule: 'hang', start, end: end + 60, deadline: end + 60, required: false },
    ],
    faultEndsAt: end,
    pace: ({ t, phase, inFault }) => {
      stalled = false;
      if (!inFault || phase !== 'train') return 1;
      if (left > 0) left--;
      else if (t >= nextAt) {
        left = Math.max(1, Math.round(stallS * uniform(0.8, 1.2))) - 1;
        nextAt = t + Math.max(everyS * uniform(0.8, 1.2), left + 3);
      } else return 1;
      stalled = true;
      return 0;
    },
    starve: (second) => {
      if (!stalled) return;
      second.utilization = unit() < 0.8 ? 0 : uniform(0, 6);
      wait(second, random, cause);
    },
  };
};

const wait = (second: Second, { uniform }: Random, cause: 'disk' | 'cpu' | 'other'): void => {
  switch (cause) {
    case 'disk':
      second.iowait = uniform(12, 45);
      second.diskBusy = uniform(88, 100);
      second.pressureIo = uniform(15, 60);
      second.workersBlocked = uniform(0.4, 0.9);
      second.workersCpu = uniform(3, 25);
      second.cpu = uniform(5, 30) + second.iowait;
      return;
    case 'cpu':
      second.cpu = uniform(92, 100);
      second.workersCpu = uniform(88, 100);
      second.pressureCpu = uniform(20, 60);
      second.workersBlocked = uniform(0, 0.05);
      return;
    case 'other':
      second.cpu = uniform(2, 15);
      second.workersCpu = uniform(0, 8);
      second.workersBlocked = uniform(0, 0.06);
      second.diskBusy = uniform(0, 10);
      second.iowait = uniform(0, 0.6);
      second.pressureIo = uniform(0, 0.6);
      second.diskRead = uniform(0, 3);
  }
};

/** Batches come too slowly all the time: within a second the GPU works and waits. */
export const slowInput = (random: Random, machine: Machine, cause: 'disk' | 'cpu' | 'workers'): Course => {
  const { uniform, unit, gauss } = random;
  const { faultAt: start, durationS } = machine;
  const end = Math.min(durationS, start + Math.floor(uniform(900, 1800)));
  const duty = uniform(0.15, 0.6);
  return {
    labels: [
      { rule: 'dataloader_stall', start, end, deadline: start + 240, required: true, cause },
      { rule: 'low_gpu_util', start, end: end + 300, deadline: end + 300, required: false },
    ],
    faultEndsAt: end,
    pace: ({ inFault, phase }) => (inFault && phase === 'train' ? duty : 1),
    starve: (second, { inFault, phase }) => {
      if (!inFault || phase !== 'train') return;
      second.utilization = Math.max(0, Math.min(100, 100 * duty + gauss(0, 18)));
      if (unit() < 0.12) second.utilization = uniform(0, 8);
      limit(second, random, machine, cause);
    },
  };
};

const limit = (second: Second, { uniform }: Random, machine: Machine, cause: 'disk' | 'cpu' | 'workers'): void => {
  const { cpus, workers } = machine;
  switch (cause) {
    case 'disk':
      second.iowait = uniform(10, 40);
      second.diskBusy = uniform(88, 100);
      second.pressureIo = uniform(12, 50);
      second.workersBlocked = uniform(0.35, 0.85);
      second.workersCpu = uniform(10, 35);
      second.cpu = uniform(10, 35) + second.iowait;
      return;
    case 'cpu':
      second.cpu = uniform(91, 100);
      second.workersCpu = uniform(85, 100) * Math.min(1, cpus / workers);
      second.pressureCpu = uniform(15, 50);
      return;
    case 'workers':
      second.workersCpu = uniform(93, 100);
      second.cpu =
        workers < 0.8 * cpus ? Math.min(85, ((100 * workers) / cpus) * 0.9 + uniform(2, 8)) : uniform(60, 80);
      second.pressureCpu = uniform(0, 5);
  }
};
