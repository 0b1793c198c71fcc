import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ObservedProcess } from '../core/batch.ts';
import { cutSecrets } from './processes-secrets.ts';

/** What /proc tells of a process; null where it may not be read or where there is no /proc. */
export type ProcessFacts = Pick<ObservedProcess, 'user' | 'command' | 'cwd' | 'startedAt' | 'openFolders'>;

/** Where to read, so that tests can point elsewhere. */
export type ProcessSources = { readonly procfs: string; readonly passwd: string };

/** Ticks a second of the times in /proc, the same on every Linux that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;
/** A dataloader holds thousands of files open; the folders of the first few hundred say where it works. */
const MAX_DESCRIPTORS = 256;
const MAX_FOLDERS = 32;
const MAX_COMMAND_CHARACTERS = 1000;

/**
 * Reads one process, synchronously: about ten small reads. The pid is the one of the host: in a container without the
 * host's pid namespace it names nobody or somebody else, and the caller should not ask.
 */
export const readProcess = (pid: number, { procfs, passwd }: ProcessSources): ProcessFacts => {
  const folder = `${procfs}/${pid}`;
  const words =
    readIfAllowed(`${folder}/cmdline`)
      ?.split('\0')
      .filter((word) => word !== '') ?? [];
  return {
    user: userOf(readIfAllowed(`${folder}/status`), passwd),
    command: words.length === 0 ? null : cutSecrets(words).slice(0, MAX_COMMAND_CHARACTERS),
    cwd: linkIfAllowed(`${folder}/cwd`),
    startedAt: startOf(readIfAllowed(`${folder}/stat`), readIfAllowed(`${procfs}/stat`)),
    openFolders: openFoldersOf(`${folder}/fd`),
  };
};

/** The name of the effective user; its number where the name is not in the file (LDAP, another container). */
const userOf = (status: string | null, passwd: string): string | null => {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status ?? '')?.[1];
  if (uid === undefined) return null;
  const line = readIfAllowed(passwd)
    ?.split('\n')
    .find((entry) => entry.split(':')[2] === uid);
  return line?.split(':')[0] ?? uid;
};

/** Field 22 of stat counts ticks since boot; the fields before it may hold spaces only inside the parentheses. */
const startOf = (stat: string | null, systemStat: string | null): number | null => {
  const ticks = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? Number.NaN);
  const bootedS = Number(/^btime (\d+)$/m.exec(systemStat ?? '')?.[1] ?? Number.NaN);
  const startedAt = bootedS * 1000 + (ticks / TICKS_PER_SECOND) * 1000;
  return Number.isFinite(startedAt) ? Math.round(startedAt) : null;
};

const openFoldersOf = (folder: string): readonly string[] => {
  const folders = new Set<string>();
  for (const descriptor of listIfAllowed(folder).slice(0, MAX_DESCRIPTORS)) {
    const target = linkIfAllowed(`${folder}/${descriptor}`);
    if (target === null || !target.startsWith('/') || /^\/(dev|proc|sys)\//.test(target)) continue;
    folders.add(dirname(target.replace(/ \(deleted\)$/, '')));
    if (folders.size === MAX_FOLDERS) break;
  }
  return [...folders];
};

/** The process is another user's, or has just ended: normal, and not known. */
const NOT_KNOWN = new Set(['ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR', 'EINVAL']);

const ifAllowed = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_KNOWN.has(String(error.code))) return null;
    throw error;
  }
};

const readIfAllowed = (path: string): string | null => ifAllowed(() => readFileSync(path, 'utf8'));
const linkIfAllowed = (path: string): string | null => ifAllowed(() => readlinkSync(path));
const listIfAllowed = (path: string): readonly string[] => ifAllowed(() => readdirSync(path)) ?? [];
