import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { HostMetric } from '../../core/metrics.ts';
import type { Collector } from '../../core/ports.ts';
import { readHostFacts, readLoadWithoutProc } from './facts.ts';
import { openHostFile } from './file.ts';
import {
  type CpuTicks,
  type DiskCounters,
  type NetworkCounters,
  parseCpuTicks,
  parseDisks,
  parseLoadAverage,
  parseMemory,
  parseNetwork,
  parsePressure,
  rateOf,
} from './parsers.ts';
import { createSpaceWatch } from './space.ts';

export type HostOptions = {
  readonly procfs: string;
  readonly name: string;
  /** The watched folders and the database: the disk that has the least room of them is the one to look at. */
  readonly roots: readonly string[];
  readonly database: string;
  readonly intervalMs: number;
  readonly clock: Clock;
};

/** Every host metric that Linux gives. */
type HostValues = Record<HostMetric, number | null>;

/** What the rates of the next look are reckoned from. */
type Counters = {
  readonly at: number;
  readonly cpu: CpuTicks | null;
  readonly disks: readonly DiskCounters[];
  readonly network: NetworkCounters | null;
};

/**
 * CPU, memory, disks, network and pressure of this host, from eight files of /proc that stay open: about 50 µs a look,
 * without a process or a thread. Rates and shares are over the time since the last look, null at the first one.
 */
export const createHostCollector = ({ procfs, name, roots, database, intervalMs, clock }: HostOptions): Collector => {
  const subject = `host:${name}`;
  const buffer = Buffer.alloc(64 * 1024);
  const open = (file: string) => openHostFile(`${procfs}/${file}`, buffer);
  const files = {
    stat: open('stat'),
    meminfo: open('meminfo'),
    diskstats: open('diskstats'),
    netDev: open('net/dev'),
    loadavg: open('loadavg'),
    pressureCpu: open('pressure/cpu'),
    pressureIo: open('pressure/io'),
    pressureMemory: open('pressure/memory'),
  };
  const textOf = (file: keyof typeof files): string => files[file].read() ?? '';
  const shm = createSpaceWatch('/dev/shm');
  const folders = [...new Set([...roots, dirname(database)])].map(createSpaceWatch);
  const hasProc = existsSync(`${procfs}/stat`);
  let factsKnown = false;
  let before: Counters | null = null;

  const look = (): HostValues => {
    const now: Counters = {
      at: clock.now(),
      cpu: parseCpuTicks(textOf('stat')),
      disks: parseDisks(textOf('diskstats')),
      network: parseNetwork(textOf('netDev')),
    };
    const memory = parseMemory(textOf('meminfo'));
    const sharedMemory = shm.latest();
    const frees = folders.flatMap((folder) => folder.latest()?.free ?? []);
    const rates = ratesBetween(before, now);
    before = now;
    return {
      ...rates,
      loadAvg1: parseLoadAverage(textOf('loadavg')),
      memoryUsed: memory?.used ?? null,
      memoryTotal: memory?.total ?? null,
      swapUsed: memory?.swapUsed ?? null,
      shmUsed: sharedMemory?.used ?? null,
      shmTotal: sharedMemory?.total ?? null,
      diskFree: frees.length === 0 ? null : Math.min(...frees),
      pressureCpu: parsePressure(textOf('pressureCpu')),
      pressureIo: parsePressure(textOf('pressureIo')),
      pressureMemory: parsePressure(textOf('pressureMemory')),
    };
  };

  return {
    name: 'host',
    when: { everyMs: intervalMs },
    timeoutMs: 10_000,
    collect: async () => {
      const values = hasProc ? look() : await readLoadWithoutProc();
      const samples = [{ subject, at: clock.now(), values }];
      if (factsKnown) return { samples };
      const host = await readHostFacts(name);
      factsKnown = true;
      return { samples, host };
    },
    close: () => {
      for (const file of Object.values(files)) file.close();
    },
  };
};

type Rates = Pick<HostValues, 'cpu' | 'cpuIowait' | 'diskRead' | 'diskWrite' | 'diskBusy' | 'netRx' | 'netTx'>;

const ratesBetween = (before: Counters | null, now: Counters): Rates => {
  const elapsedMs = before === null ? 0 : now.at - before.at;
  const ticks = before?.cpu && now.cpu ? now.cpu.total - before.cpu.total : 0;
  const shareOf = (kind: 'busy' | 'iowait'): number | null =>
    ticks > 0 && before?.cpu && now.cpu ? percent((now.cpu[kind] - before.cpu[kind]) / ticks) : null;

  const known = new Map(before?.disks.map((disk) => [disk.name, disk]));
  const disksRate = (kind: 'read' | 'written' | 'busyMs'): readonly number[] =>
    now.disks.flatMap((disk) => rateOf(known.get(disk.name)?.[kind], disk[kind], elapsedMs) ?? []);
  const busyMsASecond = disksRate('busyMs');

  return {
    cpu: shareOf('busy'),
    cpuIowait: shareOf('iowait'),
    diskRead: total(disksRate('read')),
    diskWrite: total(disksRate('written')),
    diskBusy: busyMsASecond.length === 0 ? null : percent(Math.max(...busyMsASecond) / 1000),
    netRx: whole(now.network && rateOf(before?.network?.received, now.network.received, elapsedMs)),
    netTx: whole(now.network && rateOf(before?.network?.sent, now.network.sent, elapsedMs)),
  };
};

/** One decimal, inside 0 to 100: iowait may count backwards (proc(5)), and a look is never exactly on the tick. */
const percent = (share: number): number => Math.min(100, Math.max(0, Math.round(share * 1000) / 10));

const total = (rates: readonly number[]): number | null =>
  rates.length === 0 ? null : Math.round(rates.reduce((sum, rate) => sum + rate, 0));

const whole = (rate: number | null): number | null => (rate === null ? null : Math.round(rate));
