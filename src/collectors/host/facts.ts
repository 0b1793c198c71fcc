import { cpu, currentLoad, mem, osInfo } from 'systeminformation';
import type { ObservedHost } from '../../core/batch.ts';
import type { Values } from '../../core/sample.ts';

/** What does not change while we run. systeminformation starts programs for it (about 30 ms): once, never in the loop. */
export const readHostFacts = async (name: string): Promise<ObservedHost> => {
  const [system, processor, memory] = await Promise.all([osInfo(), cpu(), mem()]);
  return {
    name,
    os: [system.distro, system.release, system.arch].filter((word) => word !== '').join(' ') || null,
    cpuModel: [processor.manufacturer, processor.brand].filter((word) => word !== '').join(' ') || null,
    cpuCores: processor.cores || null,
    memoryTotal: memory.total || null,
  };
};

/** The little that can be sampled where there is no /proc (macOS, Windows); what is missing was not asked. */
export const readLoadWithoutProc = async (): Promise<Values> => {
  const [load, memory] = await Promise.all([currentLoad(), mem()]);
  return {
    cpu: Math.round(load.currentLoad * 10) / 10,
    loadAvg1: load.avgLoad,
    memoryUsed: memory.total - memory.available,
    memoryTotal: memory.total,
    swapUsed: memory.swapused,
  };
};
