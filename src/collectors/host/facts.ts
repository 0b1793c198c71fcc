import { cpu, cpuTemperature, currentLoad, fsStats, mem, networkStats, osInfo } from 'systeminformation';
import type { ObservedHost } from '../../core/batch.ts';

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

/** What systeminformation tells of a system without /proc, in the units of the catalogue; null is what it does not. */
export const readElsewhere = async () => {
  const [load, memory, network, files, temperature] = await Promise.all([
    currentLoad(),
    mem(),
    networkStats(),
    fsStats(),
    cpuTemperature(),
  ]);
  return {
    cpu: tenths(load.currentLoad),
    cores: load.cpus.flatMap((core) => tenths(core.load) ?? []),
    loadAvg1: known(load.avgLoad),
    memoryUsed: memory.total - memory.available,
    memoryTotal: known(memory.total),
    swapUsed: known(memory.swapused),
    diskRead: known(files?.rx_sec),
    diskWrite: known(files?.wx_sec),
    networks: network.map(({ iface, rx_sec, tx_sec }) => ({ name: iface, rx: known(rx_sec), tx: known(tx_sec) })),
    temperature: known(temperature.main),
  };
};

/** systeminformation says null, undefined or a negative number for what it does not know, whatever its types say. */
const known = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value * 100) / 100 : null;

const tenths = (share: number): number | null => (Number.isFinite(share) ? Math.round(share * 10) / 10 : null);
