import type { OpenHostFile } from './file.ts';
import { type CpuTicks, type Processor, parseLoadAverage, parsePressure, parseProcessor } from './parsers.ts';
import { percent, type Reading, whyNoRate } from './reading.ts';

const NO_STAT = '/proc/stat does not say';
const NO_PRESSURE = 'the kernel has no pressure stall information (CONFIG_PSI, psi=1)';

/** The CPUs together and each, the load, and who waits for what. Shares are over the time since the last look. */
export const createProcessor = (procfs: string, open: OpenHostFile) => {
  const stat = open(`${procfs}/stat`);
  const loadavg = open(`${procfs}/loadavg`);
  const pressures = ['cpu', 'io', 'memory'].map((kind) => open(`${procfs}/pressure/${kind}`));
  let before: Processor | null = null;
  return {
    look: () => {
      const now = parseProcessor(stat.read() ?? '');
      const shareOf = (kind: 'busy' | 'iowait'): Reading =>
        now.all === null ? NO_STAT : (shareBetween(before?.all, now.all, kind) ?? whyNoRate(before?.all));
      const cores = now.cores.map((core, index) => shareBetween(before?.cores[index], core, 'busy'));
      const known = cores.filter((core) => core !== null);
      const [pressureCpu = NO_PRESSURE, pressureIo = NO_PRESSURE, pressureMemory = NO_PRESSURE] = pressures.map(
        (file): Reading => parsePressure(file.read() ?? '') ?? NO_PRESSURE,
      );
      const readings = {
        cpu: shareOf('busy'),
        cpuIowait: shareOf('iowait'),
        cpuMaxCore: known.length > 0 ? Math.max(...known) : now.cores.length === 0 ? NO_STAT : whyNoRate(before?.all),
        loadAvg1: parseLoadAverage(loadavg.read() ?? '') ?? '/proc/loadavg does not say',
        pressureCpu,
        pressureIo,
        pressureMemory,
      };
      before = now;
      return { readings, cores: cores.length === 0 ? null : cores };
    },
    close: () => {
      for (const file of [stat, loadavg, ...pressures]) file.close();
    },
  };
};

const shareBetween = (
  before: CpuTicks | null | undefined,
  now: CpuTicks | null,
  kind: 'busy' | 'iowait',
): number | null => {
  if (!before || now === null || now.total <= before.total) return null;
  return percent((now[kind] - before[kind]) / (now.total - before.total));
};
