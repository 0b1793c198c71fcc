import { countersIn } from './counters.ts';

/** One `cpu` line of /proc/stat, in ticks since boot. */
export type CpuTicks = { readonly busy: number; readonly iowait: number; readonly total: number };

/** `cores` has the number of a core as its index; null: that core is offline. */
export type Processor = { readonly all: CpuTicks | null; readonly cores: readonly (CpuTicks | null)[] };

/** One whole disk of /proc/diskstats, since boot: bytes, requests with the milliseconds that they took, time with work. */
export type DiskCounters = {
  readonly name: string;
  readonly read: number;
  readonly written: number;
  readonly requests: number;
  readonly requestMs: number;
  readonly busyMs: number;
};

/** One real network interface: bytes since it appeared. */
export type NetworkCounters = { readonly name: string; readonly received: number; readonly sent: number };

/** Bytes; null where this kernel does not say. */
export type Memory = {
  readonly total: number | null;
  readonly used: number | null;
  readonly swapUsed: number | null;
};

/** The most CPUs that Linux can be built for (NR_CPUS). */
const MAX_CORES = 8192;

/** `all` is null when the text holds no such line, and a core that has no readable line is left out. */
export const parseProcessor = (stat: string): Processor => {
  let all: CpuTicks | null = null;
  const cores: (CpuTicks | null)[] = [];
  for (let start = 0; stat.startsWith('cpu', start); start = lineEnd(stat, start) + 1) {
    const space = stat.indexOf(' ', start);
    const ticks = ticksOf(countersIn(stat, space, lineEnd(stat, start)));
    const core = Number(stat.slice(start + 3, space));
    if (space === start + 3) all = ticks;
    else if (ticks !== null && Number.isInteger(core) && core >= 0 && core < MAX_CORES) {
      while (cores.length <= core) cores.push(null);
      cores[core] = ticks;
    }
  }
  return { all, cores };
};

/** Guest time is part of user time (proc(5)) and not counted twice. */
const ticksOf = (fields: readonly number[] | null): CpuTicks | null => {
  if (fields === null || fields.length < 4) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields;
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, iowait, total: busy + idle + iowait };
};

/** Used is what cannot be had back: the total without MemAvailable, which kernels before 3.14 do not say. */
export const parseMemory = (meminfo: string): Memory => {
  const total = bytesOf(meminfo, 'MemTotal');
  const available = bytesOf(meminfo, 'MemAvailable');
  const swapTotal = bytesOf(meminfo, 'SwapTotal');
  const swapFree = bytesOf(meminfo, 'SwapFree');
  return {
    total,
    used: total === null || available === null ? null : total - available,
    swapUsed: swapTotal === null || swapFree === null ? null : swapTotal - swapFree,
  };
};

const bytesOf = (meminfo: string, name: string): number | null => {
  const start = `\n${meminfo}`.indexOf(`\n${name}:`);
  if (start === -1) return null;
  const kib = /^ +(\d+) kB$/.exec(meminfo.slice(start + name.length + 1, lineEnd(meminfo, start)))?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
};

const lineEnd = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
};

/**
 * Whole disks only: partitions repeat their disk, dm and md repeat the disks below them, loop, ram, zram, sr and fd are
 * none. A name is a partition when another name and a number make it up (`sda1`, `nvme0n1p2`).
 * Columns as in the kernel's Documentation/admin-guide/iostats.rst, which newer kernels add to at the end; its sectors
 * are 512 bytes whatever the disk's are. A request is a read or a write, as in iostat's `await`.
 */
export const parseDisks = (diskstats: string): readonly DiskCounters[] => {
  const rows = diskstats.split('\n').flatMap((line) => {
    const [, name, columns] = DISK_LINE.exec(line) ?? [];
    if (name === undefined || columns === undefined || NO_DISK.test(name)) return [];
    const counters = countersIn(columns);
    return counters === null || counters.length < 10 ? [] : [{ name, counters }];
  });
  const names = new Set(rows.map(({ name }) => name));
  return rows
    .filter(({ name }) => !isPartition(name, names))
    .map(({ name, counters }) => {
      const [reads = 0, , sectorsRead = 0, readMs = 0, writes = 0, , sectorsWritten = 0, writeMs = 0] = counters;
      return {
        name,
        read: sectorsRead * 512,
        written: sectorsWritten * 512,
        requests: reads + writes,
        requestMs: readMs + writeMs,
        busyMs: counters[9] ?? 0,
      };
    });
};

const DISK_LINE = /^ *\d+ +\d+ +(\S+)(.*)$/;
const NO_DISK = /^(loop|ram|zram|dm-|md|sr|fd)\d*/;

const isPartition = (name: string, names: ReadonlySet<string>): boolean => {
  const disk = /^(.*\d)p\d+$/.exec(name)?.[1] ?? /^(.*\D)\d+$/.exec(name)?.[1];
  return disk !== undefined && names.has(disk);
};

/** Without the loopback and what repeats another interface's traffic: bridges, bonds, VLANs, tunnels, containers' ends. */
export const parseNetworks = (netDev: string): readonly NetworkCounters[] =>
  netDev.split('\n').flatMap((line) => {
    const [label = '', columns] = line.split(':');
    const name = label.trim();
    if (columns === undefined || NO_INTERFACE.test(name)) return [];
    const counters = countersIn(columns);
    return counters === null || counters.length < 9
      ? []
      : [{ name, received: counters[0] ?? 0, sent: counters[8] ?? 0 }];
  });

const NO_INTERFACE =
  /^(lo$|veth|docker|podman|br-|br\d|virbr|vnet|lxc|lxd|cni|flannel|cali|cilium|kube|bond|team|dummy|ifb|tap|tun|wg|gre|sit|vxlan|tailscale)|\.\d+$/;

/** `some avg10` of a /proc/pressure file, in %: the share of ten seconds in which at least one task waited. */
export const parsePressure = (pressure: string): number | null => {
  const share = /^some avg10=(\d+(?:\.\d+)?)/m.exec(pressure)?.[1];
  return share === undefined ? null : Number(share);
};

/** The first number of /proc/loadavg. */
export const parseLoadAverage = (loadavg: string): number | null => {
  const load = /^(\d+(?:\.\d+)?) /.exec(loadavg)?.[1];
  return load === undefined ? null : Number(load);
};

/** What a counter grew by per second; null at the first look, over no time, and when it fell (reset, wrap, new disk). */
export const rateOf = (before: number | undefined, now: number, elapsedMs: number): number | null =>
  before === undefined || now < before || elapsedMs <= 0 ? null : ((now - before) * 1000) / elapsedMs;
