import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import {
  type CgroupPlace,
  countOf,
  parseCgroupPlace,
  parseCpuLimit,
  parseMemoryLimit,
  statOf,
} from './cgroup-parsers.ts';
import type { HostFile, OpenHostFile } from './file.ts';
import { createPace, percent, type Reading, whyNoRate } from './reading.ts';

const FIND_EVERY_MS = 10_000;
const NO_SYSFS = 'there is no /sys to look at';
const UNREADABLE = 'our cgroup cannot be read';

/** What the files are called. Limits hold for all below them, so what is used is counted with all below, too. */
const FILES = {
  1: {
    memory: { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', cache: 'total_inactive_file' },
    cpu: ['cpu.cfs_quota_us', 'cpu.cfs_period_us'],
  },
  2: { memory: { limit: 'memory.max', used: 'memory.current', cache: 'inactive_file' }, cpu: ['cpu.max'] },
} as const;

/** The cgroup with the tightest limit of our own and those above it, and the files that are looked at there. */
type Limit = { readonly value: number; readonly folder: string; readonly files: readonly HostFile[] };

/**
 * What limits the cgroup of our own process (in a container: the container), and how near it is. Where limits stand every
 * 10 s; nothing is read where there is none. Throttling is the share of the limit's periods since the last look in which
 * it held the cgroup back (`nr_throttled` of `nr_periods`): the kernel's throttled time is a sum over all CPUs and
 * would exceed any time that passed.
 */
export const createCgroup = ({ procfs, sysfs }: { procfs: string; sysfs: string | null }, open: OpenHostFile) => {
  const own = open(`${procfs}/self/cgroup`);
  const isTimeToFind = createPace(FIND_EVERY_MS);
  let places: { memory: Levels | null; cpu: Levels | null } = { memory: null, cpu: null };
  let memory: Limit | null = null;
  let cpu: Limit | null = null;
  let before: { throttled: number; periods: number } | null = null;

  const textAt = (folder: string, name: string): string => {
    const file = open(`${folder}/${name}`);
    try {
      return file.read() ?? '';
    } finally {
      file.close();
    }
  };
  /** Keeps what is open while the tightest limit stays where it is. */
  const renewed = (now: Limit | null, found: { value: number; folder: string } | null, names: readonly string[]) => {
    if (found !== null && now?.folder === found.folder) return { ...now, value: found.value };
    for (const file of now?.files ?? []) file.close();
    return found && { ...found, files: names.map((name) => open(`${found.folder}/${name}`)) };
  };
  const find = (root: string): void => {
    const cgroup = own.read() ?? '';
    places = { memory: levelsOf(root, cgroup, 'memory'), cpu: levelsOf(root, cgroup, 'cpu') };
    const names = FILES[places.memory?.version ?? 2];
    memory = renewed(
      memory,
      tightest(places.memory, (folder) => parseMemoryLimit(textAt(folder, names.memory.limit))),
      [names.memory.used, 'memory.stat'],
    );
    const quota = FILES[places.cpu?.version ?? 2].cpu;
    const limit = tightest(places.cpu, (folder) =>
      parseCpuLimit(quota.map((name) => textAt(folder, name).trim()).join(' ')),
    );
    if (limit?.folder !== cpu?.folder) before = null;
    cpu = renewed(cpu, limit, ['cpu.stat']);
  };

  const usedOf = ({ files: [usage, stat] }: Limit): Reading => {
    const used = countOf(usage?.read() ?? '');
    const cache = statOf(stat?.read() ?? '', FILES[places.memory?.version ?? 2].memory.cache);
    return used === null || cache === null ? UNREADABLE : Math.max(0, used - cache);
  };
  const throttledOf = ({ files: [stat] }: Limit): Reading => {
    const text = stat?.read() ?? '';
    const [throttled, periods] = [statOf(text, 'nr_throttled'), statOf(text, 'nr_periods')];
    if (throttled === null || periods === null) return UNREADABLE;
    const last = before;
    before = { throttled, periods };
    if (last === null || periods < last.periods || throttled < last.throttled) return whyNoRate(last);
    return periods === last.periods ? 0 : percent((throttled - last.throttled) / (periods - last.periods));
  };
  /** Why a limit is not known. */
  const whyNone = (levels: Levels | null, kind: string): string =>
    sysfs === null ? NO_SYSFS : levels === null ? UNREADABLE : `not in a cgroup with a ${kind} limit`;

  return {
    look: (at: number) => {
      if (sysfs !== null && isTimeToFind(at)) find(sysfs);
      const noMemoryLimit = whyNone(places.memory, 'memory');
      const readings = {
        limitMemory: memory?.value ?? noMemoryLimit,
        limitMemoryUsed: memory === null ? noMemoryLimit : usedOf(memory),
        limitCpuThrottled: cpu === null ? whyNone(places.cpu, 'CPU') : throttledOf(cpu),
      };
      const isKnown = places.memory !== null || places.cpu !== null;
      return { readings, limits: isKnown ? { cpuCores: cpu?.value ?? null, memory: memory?.value ?? null } : null };
    },
    close: () => {
      for (const file of [own, ...(memory?.files ?? []), ...(cpu?.files ?? [])]) file.close();
    },
  };
};

/** The folders of our cgroup and all above it, the outermost first. */
type Levels = { readonly version: 1 | 2; readonly folders: readonly string[] };

const levelsOf = (sysfs: string, cgroup: string, controller: 'memory' | 'cpu'): Levels | null => {
  const place = parseCgroupPlace(cgroup, controller);
  const base = place && mountOf(`${sysfs}/fs/cgroup`, place);
  if (place === null || base === null) return null;
  // In a container the path may be that of the host, and what is mounted is the container's own cgroup. Above a cgroup
  // namespace the path begins with `/..`.
  const path = posix.normalize(place.path);
  const steps = place.path.includes('/..') || !existsSync(base + path) ? [] : path.split('/').filter(Boolean);
  return {
    version: place.version,
    folders: [base, ...steps.map((_, i) => posix.join(base, ...steps.slice(0, i + 1)))],
  };
};

const mountOf = (root: string, { version, mounts }: CgroupPlace): string | null =>
  mounts
    .map((name) => posix.join(root, name))
    .find((folder) => existsSync(`${folder}/${version === 2 ? 'cgroup.procs' : 'tasks'}`)) ?? null;

/** Of equal limits the outermost: more is counted against it. */
const tightest = (levels: Levels | null, limitOf: (folder: string) => number | null) => {
  let found: { value: number; folder: string } | null = null;
  for (const folder of levels?.folders ?? []) {
    const value = limitOf(folder);
    if (value !== null && (found === null || value < found.value)) found = { value, folder };
  }
  return found;
};
