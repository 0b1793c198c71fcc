import type { OpenHostFile } from './file.ts';
import { type DiskCounters, type NetworkCounters, parseDisks, parseNetworks, rateOf } from './parsers.ts';
import { percent, type Reading, whyNoRate } from './reading.ts';

/** Disks and network interfaces, each by itself and together. Rates are over the time since the last look. */
export const createTraffic = (procfs: string, open: OpenHostFile) => {
  const diskstats = open(`${procfs}/diskstats`);
  const netDev = open(`${procfs}/net/dev`);
  let before: { at: number; disks: readonly DiskCounters[]; networks: readonly NetworkCounters[] } | null = null;
  return {
    look: (at: number) => {
      const now = { at, disks: parseDisks(diskstats.read() ?? ''), networks: parseNetworks(netDev.read() ?? '') };
      const elapsedMs = at - (before?.at ?? at);
      const disks = now.disks.map((disk) => diskBetween(before?.disks.find(isNamed(disk.name)), disk, elapsedMs));
      const networks = now.networks.map(({ name, received, sent }) => {
        const known = before?.networks.find(isNamed(name));
        return {
          name,
          rx: whole(rateOf(known?.received, received, elapsedMs)),
          tx: whole(rateOf(known?.sent, sent, elapsedMs)),
        };
      });
      const noDisk = disks.length === 0 ? 'no disk of its own is to be seen' : whyNoRate(before);
      const noNetwork = networks.length === 0 ? 'no network interface but the loopback' : whyNoRate(before);
      const hadNone = 'no disk had a request since the last look';
      const readings = {
        diskRead: reckon(sum, disks, 'read') ?? noDisk,
        diskWrite: reckon(sum, disks, 'write') ?? noDisk,
        diskBusy: reckon(highest, disks, 'busy') ?? noDisk,
        diskLatency: reckon(highest, disks, 'latency') ?? (disks.some(({ read }) => read !== null) ? hadNone : noDisk),
        netRx: reckon(sum, networks, 'rx') ?? noNetwork,
        netTx: reckon(sum, networks, 'tx') ?? noNetwork,
      } satisfies Record<string, Reading>;
      before = now;
      return { readings, disks, networks };
    },
    close: () => {
      diskstats.close();
      netDev.close();
    },
  };
};

const isNamed =
  (name: string) =>
  (each: { readonly name: string }): boolean =>
    each.name === name;

const diskBetween = (before: DiskCounters | undefined, now: DiskCounters, elapsedMs: number) => {
  const busyMs = rateOf(before?.busyMs, now.busyMs, elapsedMs);
  return {
    name: now.name,
    read: whole(rateOf(before?.read, now.read, elapsedMs)),
    write: whole(rateOf(before?.written, now.written, elapsedMs)),
    busy: busyMs === null ? null : percent(busyMs / 1000),
    latency: before === undefined ? null : latencyBetween(before, now),
  };
};

/** Milliseconds a request, to two decimals. Older kernels count the time in 32 bits: when that wraps it is not known. */
const latencyBetween = (before: DiskCounters, now: DiskCounters): number | null => {
  const requests = now.requests - before.requests;
  const ms = now.requestMs - before.requestMs;
  return requests <= 0 || ms < 0 ? null : Math.round((ms / requests) * 100) / 100;
};

/** Over the rows that know the value; null when none does. */
const reckon = <Key extends string>(
  how: (values: readonly number[]) => number,
  rows: readonly Readonly<Record<Key, number | null>>[],
  key: Key,
): number | null => {
  const known = rows.flatMap((row) => row[key] ?? []);
  return known.length === 0 ? null : how(known);
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const highest = (values: readonly number[]): number => Math.max(...values);
const whole = (rate: number | null): number | null => (rate === null ? null : Math.round(rate));
