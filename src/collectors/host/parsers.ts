/** The first line of /proc/stat, in ticks since boot over all CPUs. */
export type CpuTicks = { readonly busy: number; readonly iowait: number; readonly total: number };

/** One whole disk of /proc/diskstats: bytes since boot, and milliseconds in which it had work. */
export type DiskCounters = {
  readonly name: string;
  readonly read: number;
  readonly written: number;
  readonly busyMs: number;
};

/** Bytes since boot over all real network interfaces. */
export type NetworkCounters = { readonly received: number; readonly sent: number };

/** Bytes. */
export type Memory = { readonly total: number; readonly used: number; readonly swapUsed: number | null };

/** null when the text holds no such line. Guest time is part of user time (proc(5)) and not counted twice. */
export const parseCpuTicks = (stat: string): CpuTicks | null => {
  const fields = /^cpu\s+(.+)$/m.exec(stat)?.[1]?.trim().split(/\s+/).map(Number);
  if (fields === undefined || fields.length < 4 || !fields.every(Number.isFinite)) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields;
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, iowait, total: busy + idle + iowait };
};

/** Used is what cannot be had back: the total without MemAvailable. Kernels before 3.14 do not say: null. */
export const parseMemory = (meminfo: string): Memory | null => {
  const bytes = (name: string): number | null => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  };
  const [total, available, swapTotal, swapFree] = ['MemTotal', 'MemAvailable', 'SwapTotal', 'SwapFree'].map(bytes);
  if (total == null || available == null) return null;
  return {
    total,
    used: total - available,
    swapUsed: swapTotal == null || swapFree == null ? null : swapTotal - swapFree,
  };
};

/**
 * Whole disks only: partitions repeat their disk, dm and md repeat the disks below them, loop, ram, zram, sr and fd are
 * none. A name is a partition when another name and a number make it up (`sda1`, `nvme0n1p2`).
 * Columns as in the kernel's Documentation/admin-guide/iostats.rst; its sectors are 512 bytes whatever the disk's are.
 */
export const parseDisks = (diskstats: string): readonly DiskCounters[] => {
  const rows = diskstats.split('\n').flatMap((line) => {
    const [, , name, ...columns] = line.trim().split(/\s+/);
    const counters = columns.map(Number);
    return name === undefined || counters.length < 10 || !counters.every(Number.isFinite) ? [] : [{ name, counters }];
  });
  const names = new Set(rows.map(({ name }) => name));
  return rows
    .filter(({ name }) => !/^(loop|ram|zram|dm-|md|sr|fd)\d*/.test(name) && !isPartition(name, names))
    .map(({ name, counters }) => ({
      name,
      read: (counters[2] ?? 0) * 512,
      written: (counters[6] ?? 0) * 512,
      busyMs: counters[9] ?? 0,
    }));
};

const isPartition = (name: string, names: ReadonlySet<string>): boolean => {
  const disk = /^(.*\d)p\d+$/.exec(name)?.[1] ?? /^(.*\D)\d+$/.exec(name)?.[1];
  return disk !== undefined && names.has(disk);
};

/** Without the loopback and what repeats another interface's traffic: bridges, bonds, containers' ends. null: none. */
export const parseNetwork = (netDev: string): NetworkCounters | null => {
  const interfaces = netDev.split('\n').flatMap((line) => {
    const [name, rest] = line.split(':');
    const counters = rest?.trim().split(/\s+/).map(Number) ?? [];
    return name === undefined || counters.length < 9 || !counters.every(Number.isFinite)
      ? []
      : [{ name: name.trim(), received: counters[0] ?? 0, sent: counters[8] ?? 0 }];
  });
  const real = interfaces.filter(
    ({ name }) => !/^(lo$|veth|docker|br-|virbr|cni|flannel|cali|bond|dummy|tap)/.test(name),
  );
  if (real.length === 0) return null;
  return {
    received: real.reduce((sum, { received }) => sum + received, 0),
    sent: real.reduce((sum, { sent }) => sum + sent, 0),
  };
};

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
