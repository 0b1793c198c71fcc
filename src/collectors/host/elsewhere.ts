import type { HostDetail } from '../../core/host-detail.ts';
import type { HostMetric } from '../../core/metrics.ts';
import { readElsewhere } from './facts.ts';
import { createHostFiles } from './file.ts';
import type { HostLook, Reading } from './reading.ts';
import { createSpaces } from './space.ts';

/** systeminformation starts programs for what it tells: several milliseconds of CPU a look. */
export const ELSEWHERE_EVERY_MS = 5000;

const NOT_HERE = 'this system does not tell it';

/** The little that can be sampled where there is no /proc (macOS, Windows). Space is asked as on Linux. */
export const createElsewhere = (places: { procfs: string; roots: readonly string[]; database: string }) => {
  const spaces = createSpaces(places, createHostFiles());
  return {
    look: async (at: number): Promise<HostLook> => {
      const { cores, networks, ...found } = await readElsewhere();
      const space = spaces.look(at);
      const reading = (metric: keyof typeof found): Reading => found[metric] ?? NOT_HERE;
      const readings: Record<HostMetric, Reading> = {
        ...space.readings,
        cpu: reading('cpu'),
        cpuMaxCore: cores.length === 0 ? NOT_HERE : Math.max(...cores),
        cpuIowait: NOT_HERE,
        loadAvg1: reading('loadAvg1'),
        memoryUsed: reading('memoryUsed'),
        memoryTotal: reading('memoryTotal'),
        swapUsed: reading('swapUsed'),
        diskRead: reading('diskRead'),
        diskWrite: reading('diskWrite'),
        diskBusy: NOT_HERE,
        diskLatency: NOT_HERE,
        netRx: sumOf(networks, 'rx') ?? NOT_HERE,
        netTx: sumOf(networks, 'tx') ?? NOT_HERE,
        pressureCpu: NOT_HERE,
        pressureIo: NOT_HERE,
        pressureMemory: NOT_HERE,
        temperature: reading('temperature'),
        limitMemory: NOT_HERE,
        limitMemoryUsed: NOT_HERE,
        limitCpuThrottled: NOT_HERE,
      };
      const detail = {
        cores: cores.length === 0 ? null : [...cores],
        disks: [],
        spaces: space.spaces,
        networks: [...networks],
        temperatures: [],
        limits: null,
      };
      return { readings, detail };
    },
    close: spaces.close,
  };
};

const sumOf = (networks: HostDetail['networks'], key: 'rx' | 'tx'): number | null => {
  const known = networks.flatMap((each) => each[key] ?? []);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
};
