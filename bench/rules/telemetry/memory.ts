import type { Random } from '../random.ts';
import type { Machine } from './machine.ts';
import type { Course, Moment } from './second.ts';

/** What the training holds on its GPU, MiB, second by second. */
export type HeldMemory = {
  readonly at: (moment: Moment, epochBeganAt: number) => number;
  /** Another process begins with nothing. */
  readonly release: () => void;
};

/**
 * A caching allocator: in every epoch it fills up again, rises with each record of the largest batch (as the logarithm
 * of time), and after the first validation holds that too.
 */
export const createHeldMemory = (random: Random, machine: Machine, course: Course): HeldMemory => {
  const { uniform } = random;
  let loaded = 0;
  let record = 0;
  let hasValidated = false;
  const filling = (level: number, sinceS: number) => {
    const low = level * (machine.saws ? 0.7 : 0.995);
    return Math.max(low + (level - low) * (1 - Math.exp(-sinceS / 4)), 0);
  };
  return {
    release: () => {
      record = 0;
      hasValidated = false;
    },
    at: (moment, epochBeganAt) => {
      const { t, phase } = moment;
      if (phase === 'start') {
        loaded = Math.min(1, loaded + 0.02);
        return 0.25 * machine.memory * loaded;
      }
      const grown = Math.min(1, (Math.log(Math.max(1, t - 40)) / Math.log(3600)) ** 3);
      record = Math.max(record, machine.grownMemory * grown * uniform(0.93, 1));
      hasValidated ||= phase === 'val' || phase === 'eval';
      const level =
        machine.memory + record + (hasValidated ? machine.valMemory : 0) + (course.moreMemory?.(moment) ?? 0);
      const held =
        phase === 'train' ? filling(level, t - epochBeganAt) : machine.saws ? level * uniform(0.75, 0.9) : level;
      return held * (course.memoryShare?.() ?? 1);
    },
  };
};
