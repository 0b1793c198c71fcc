import type { OpenHostFile } from './file.ts';
import { parseMemory } from './parsers.ts';

/** Memory and swap. */
export const createMemory = (procfs: string, open: OpenHostFile) => {
  const meminfo = open(`${procfs}/meminfo`);
  return {
    look: () => {
      const { total, used, swapUsed } = parseMemory(meminfo.read() ?? '');
      const silent = '/proc/meminfo does not say';
      return {
        readings: {
          memoryTotal: total ?? silent,
          memoryUsed: used ?? (total === null ? silent : 'the kernel does not say how much is available (before 3.14)'),
          swapUsed: swapUsed ?? silent,
        },
      };
    },
    close: meminfo.close,
  };
};
