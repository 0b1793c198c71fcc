import type { Random } from '../random.ts';
import type { Machine } from './machine.ts';
import { createHeldMemory } from './memory.ts';
import { createPhases, momentOf } from './phases.ts';
import { type Course, HW_SLOWDOWN, IDLE, type Moment, POWER_CAP, type Second } from './second.ts';

/** Plays a training on its machine, one sample a second. Seconds whose sample is lost are left out, but for rows. */
export const simulate = (random: Random, machine: Machine, course: Course, kind: string): readonly Second[] => {
  const phases = createPhases(random, machine, kind);
  const held = createHeldMemory(random, machine, course);
  const endS = course.durationS ?? machine.durationS;
  const faultEndsAt = course.faultEndsAt ?? endS;
  const seconds: Second[] = [];
  let temperature = 35;
  for (let t = 0; t < endS; t++) {
    const inFault = t >= machine.faultAt && t < faultEndsAt;
    const hangs = course.hang !== undefined && t >= machine.faultAt;
    let row = false;
    if (!hangs) {
      const step = phases.advance(t, course.pace?.(momentOf(phases, t, inFault)) ?? 1);
      if (step.restarted) held.release();
      row = step.row;
    }
    const moment = momentOf(phases, t, inFault);
    const second = ordinarySecond(random, machine, moment, row);
    course.utilize?.(second);
    loadHost(random, machine, second, course);
    course.starve?.(second, moment);
    heat(random, machine, second, course, moment, temperature);
    temperature = second.temperature;
    second.runMemory = held.at(moment, phases.epochBeganAt());
    course.neighbor?.(second, moment);
    second.memory = Math.min(0.999 * machine.gpuMemory, second.runMemory + second.otherMemory);
    fillHost(random, machine, second, course, moment);
    if (hangs) stand(random, machine, second, course.hang);
    second.utilization = within(Math.round(second.utilization), 0, 100);
    if (!(course.isLost?.() ?? false) || row) seconds.push(second);
  }
  return seconds;
};

const ordinarySecond = (random: Random, machine: Machine, { t, phase }: Moment, row: boolean): Second => {
  const utilization = utilizationIn(random, machine, phase);
  return {
    ...{ t, phase, row, utilization, power: 0, clock: machine.clock, temperature: 0, throttle: 0 },
    ...{ memory: 0, otherMemory: machine.otherMemory, runMemory: 0 },
    ...{ cpu: 0, workersCpu: 0, workersBlocked: 0, iowait: 0, diskBusy: 0, diskRead: 0, pressureIo: 0, pressureCpu: 0 },
    ...{ ramUsed: 0, diskFree: 0 },
  };
};

const utilizationIn = ({ gauss, uniform, unit }: Random, machine: Machine, phase: Second['phase']): number => {
  switch (phase) {
    case 'train': {
      const usual = machine.utilization + gauss(0, machine.utilizationNoise);
      const dips = gauss(0, 1) > 2.3;
      const depth = uniform(10, 40);
      return dips ? usual - depth : usual;
    }
    case 'val':
      return uniform(25, 85);
    case 'start':
    case 'eval':
    case 'save':
    case 'between':
      return unit() < 0.85 ? 0 : uniform(0, 8);
  }
};

const loadHost = (random: Random, machine: Machine, second: Second, course: Course): void => {
  const { gauss, uniform } = random;
  second.cpu = machine.cpu + gauss(0, 5);
  second.workersCpu = machine.workersCpu + gauss(0, 6);
  second.workersBlocked = Math.max(0, gauss(0.02, 0.02));
  second.iowait = Math.max(0, machine.iowait + gauss(0, 0.5));
  second.diskBusy = Math.max(0, machine.diskBusy + gauss(0, 5));
  second.diskRead = machine.diskRead * uniform(0.5, 1.5);
  second.pressureIo = second.iowait * uniform(0.1, 0.5);
  second.pressureCpu = 0.5 * Math.max(0, second.cpu - 70);
  course.crowd?.(second);
  const { phase } = second;
  if (phase === 'train' || phase === 'val') return;
  second.cpu = (100 / machine.cpus) * uniform(1, 3);
  second.workersCpu = uniform(0, 20);
  if (phase === 'save') {
    second.diskBusy = uniform(30, 90);
    second.iowait += uniform(0, 4);
  }
  if (phase === 'between') second.cpu = uniform(20, 70);
};

/** Clock, throttle reasons, temperature and power. */
const heat = (
  { gauss, uniform, unit }: Random,
  machine: Machine,
  second: Second,
  course: Course,
  moment: Moment,
  before: number,
): void => {
  if (second.phase !== 'start') second.clock = machine.clock + gauss(0, 4);
  if (second.utilization < 3) second.throttle |= IDLE;
  if (machine.powerCapped && second.utilization > 80) {
    second.throttle |= POWER_CAP;
    second.clock = machine.clock * uniform(0.93, 1);
  }
  const slowedAtOnce = course.slowGpu?.(second, moment) ?? false;
  // Drivers tell a slow-down at changes of the power state, which means nothing.
  if (!slowedAtOnce && unit() < 0.0008) second.throttle |= HW_SLOWDOWN;
  const goal = course.overheats && moment.inFault ? 88 : 38 + 0.34 * second.utilization;
  second.temperature = before + 0.03 * (goal - before);
  const load = within(second.utilization, 0, 100) / 100;
  const drawn = (machine.fullPower - machine.idlePower) * load ** 0.8 * (second.clock / machine.clock);
  second.power = machine.idlePower + drawn + gauss(0, 6);
};

const fillHost = ({ gauss }: Random, machine: Machine, second: Second, course: Course, moment: Moment): void => {
  const { t, epoch } = moment;
  const used = machine.ramUsed * (1 - 0.3 * Math.exp(-t / 120)) + gauss(0, 0.002 * machine.ram);
  second.ramUsed = used + (course.moreRam?.(t) ?? 0);
  second.diskFree = Math.max(machine.diskFree - 60 * epoch - (course.lessDisk?.(t) ?? 0), 0);
  second.cpu = within(second.cpu, 0, 100);
  second.iowait = Math.min(second.iowait, 100);
  second.diskBusy = Math.min(second.diskBusy, 100);
  second.workersCpu = within(second.workersCpu, 0, 100);
  second.workersBlocked = Math.min(second.workersBlocked, 1);
};

/** Nothing goes on any more: every process waits, or the GPU spins in a collective. */
const stand = ({ gauss, uniform }: Random, machine: Machine, second: Second, how: Course['hang']): void => {
  if (how === 'idle') {
    second.utilization = 0;
    second.power = machine.idlePower + gauss(0, 2);
    second.throttle = IDLE;
  } else {
    second.utilization = 100;
    second.power = machine.idlePower + 0.18 * (machine.fullPower - machine.idlePower) + gauss(0, 3);
    second.throttle = 0;
  }
  second.cpu = (100 / machine.cpus) * uniform(0.2, 1.2);
  second.workersCpu = how === 'idle' ? 0 : uniform(0, 3);
  second.diskBusy = uniform(0, 3);
  second.diskRead = 0;
  second.iowait = uniform(0, 0.3);
};

const within = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
