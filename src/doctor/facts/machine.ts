import { closeSync, existsSync, openSync, readdirSync, readSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { READ_WITHOUT_WAITING } from '../../collectors/file/access.ts';
import { whyPidsAreForeign } from '../../collectors/gpu/host-pids.ts';
import { createCgroup } from '../../collectors/host/cgroup.ts';
import { createHostFiles } from '../../collectors/host/file.ts';
import { textIfAllowed } from '../../collectors/process/files.ts';
import { tryTo } from './error-code.ts';

/** What this machine, or the container that we are in, gives and withholds. Amounts in bytes. */
export type MachineFacts = {
  /** The kind of container that we are in; null: in none, as far as can be told. */
  readonly container: string | null;
  /** Why pids that the driver and the kernel log tell mean nothing here; null: they do. */
  readonly pidsAreForeign: string | null;
  /** null: there is no /dev/shm. */
  readonly shm: { readonly total: number; readonly free: number } | null;
  /** Limits of our cgroup; null: none. */
  readonly limits: { readonly memory: number | null; readonly cpuCores: number | null };
  /** The code of the error that opening it gives; null: it can be read. */
  readonly kernelLog: { readonly refusal: string | null; readonly dmesgRestrict: string | null };
  /** Code of the error that /proc/pressure gives; null: it can be read. */
  readonly pressure: string | null;
  /** Limits per user; null: this kernel has no inotify. */
  readonly inotify: { readonly watches: number | null; readonly instances: number | null };
  readonly clock: ClockFacts;
};

/** Who keeps the clock, as far as files tell. `isSynchronized` null: nobody says. */
export type ClockFacts = { readonly isSynchronized: boolean | null; readonly keeper: string | null };

/** Roots of what is read, which tests put elsewhere; `root` is that of /run and of container marks. */
export type MachinePlaces = {
  readonly root: string;
  readonly procfs: string;
  readonly sysfs: string;
  readonly devfs: string;
  readonly isKubernetes: boolean;
};

export const readMachine = async (places: MachinePlaces): Promise<MachineFacts> => {
  const { procfs, sysfs, devfs } = places;
  const numberIn = (path: string): number | null => {
    const text = textIfAllowed(path);
    return text === null || !/^\d+\s*$/.test(text) ? null : Number(text);
  };
  return {
    container: containerOf(places),
    pidsAreForeign: whyPidsAreForeign(procfs),
    shm: shmOf(join(devfs, 'shm')),
    limits: limitsOf(procfs, sysfs),
    kernelLog: {
      refusal: tryTo(() => closeSync(openSync(join(devfs, 'kmsg'), READ_WITHOUT_WAITING))),
      dmesgRestrict: textIfAllowed(join(procfs, 'sys/kernel/dmesg_restrict'))?.trim() ?? null,
    },
    pressure: tryTo(() => readWhole(join(procfs, 'pressure/cpu'))),
    inotify: {
      watches: numberIn(join(procfs, 'sys/fs/inotify/max_user_watches')),
      instances: numberIn(join(procfs, 'sys/fs/inotify/max_user_instances')),
    },
    clock: clockOf(join(places.root, 'run'), procfs),
  };
};

const MARKS = [
  ['.dockerenv', 'Docker'],
  ['run/.containerenv', 'Podman'],
] as const;

const containerOf = ({ root, procfs, isKubernetes }: MachinePlaces): string | null => {
  if (isKubernetes) return 'Kubernetes';
  const mark = MARKS.find(([file]) => existsSync(join(root, file)));
  if (mark !== undefined) return mark[1];
  const named = textIfAllowed(join(root, 'run/systemd/container'))?.trim();
  if (named) return named;
  return whyPidsAreForeign(procfs) === null ? null : 'a container';
};

const shmOf = (path: string): MachineFacts['shm'] => {
  if (!existsSync(path)) return null;
  const { bsize, blocks, bavail } = statfsSync(path);
  return { total: blocks * bsize, free: bavail * bsize };
};

const limitsOf = (procfs: string, sysfs: string): MachineFacts['limits'] => {
  const cgroup = createCgroup({ procfs, sysfs }, createHostFiles());
  const { limits } = cgroup.look(Date.now());
  cgroup.close();
  return limits ?? { memory: null, cpuCores: null };
};

/** Opening is allowed where reading is not: PSI that is switched off says so only then. */
const readWhole = (path: string): void => {
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, Buffer.alloc(256));
  } finally {
    closeSync(descriptor);
  }
};

/** systemd-timesyncd leaves a file when it has synchronised; of other keepers only that they run is seen. */
const clockOf = (run: string, procfs: string): ClockFacts => {
  if (existsSync(join(run, 'systemd/timesync/synchronized')))
    return { isSynchronized: true, keeper: 'systemd-timesyncd' };
  const names = new Set(pidsIn(procfs).flatMap((pid) => textIfAllowed(join(procfs, pid, 'comm'))?.trim() ?? []));
  const keeper = KEEPERS.find((name) => names.has(name.slice(0, 15))) ?? null;
  return { isSynchronized: keeper === 'systemd-timesyncd' ? false : null, keeper };
};

const KEEPERS = ['systemd-timesyncd', 'chronyd', 'ntpd', 'openntpd', 'ptp4l', 'phc2sys', 'VBoxService', 'vmtoolsd'];

const pidsIn = (procfs: string): readonly string[] => readdirSync(procfs).filter((name) => /^\d+$/.test(name));
