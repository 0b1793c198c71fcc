import { dirname } from 'node:path';
import type { ObservedProcess } from '../../core/batch.ts';
import { processStartOf } from '../../core/process-start.ts';
import { environmentOf } from './environment.ts';
import { linkIfAllowed, namesIfAllowed, textIfAllowed } from './files.ts';
import { cutSecrets } from './secrets.ts';
import { parseStat } from './stat.ts';

/** What /proc tells of a process; null where it may not be read or where there is no /proc. */
export type ProcessFacts = Required<Omit<ObservedProcess, 'gpuUuid' | 'pid' | 'memory' | 'utilization'>>;

/** Where to read, so that tests can point elsewhere. */
export type ProcessSources = { readonly procfs: string; readonly passwd: string };

/** A dataloader holds thousands of files open; the folders of the first few hundred say where it works. */
const MAX_DESCRIPTORS = 256;
const MAX_FOLDERS = 32;
const MAX_COMMAND_CHARACTERS = 1000;
const MAX_PARENTS = 16;

/**
 * Reads one process, synchronously: about twenty small reads. The pid is the one of the host: in a container without the
 * host's pid namespace it names nobody or somebody else, and the caller should not ask.
 */
export const readProcess = (pid: number, { procfs, passwd }: ProcessSources): ProcessFacts => {
  const folder = `${procfs}/${pid}`;
  const stat = textIfAllowed(`${folder}/stat`);
  return {
    user: userOf(textIfAllowed(`${folder}/status`), passwd),
    command: shownCommand(textIfAllowed(`${folder}/cmdline`)),
    cwd: linkIfAllowed(`${folder}/cwd`),
    startedAt: processStartOf(stat, textIfAllowed(`${procfs}/stat`)),
    openFolders: openFoldersOf(folder, () => true),
    parents: parentsOf(stat, procfs),
    environment: environmentOf(textIfAllowed(`${folder}/environ`)),
  };
};

/** The folders of the files that a process holds open for writing. */
export const writtenFoldersOf = (pid: number, procfs: string): readonly string[] => {
  const folder = `${procfs}/${pid}`;
  return openFoldersOf(folder, (descriptor) => mayWrite(textIfAllowed(`${folder}/fdinfo/${descriptor}`)));
};

/** A command line for people: its words as one line, without secrets; null for a thread of the kernel, or none. */
export const shownCommand = (cmdline: string | null): string | null => {
  const words = cmdline?.split('\0').filter((word) => word !== '') ?? [];
  return words.length === 0 ? null : cutSecrets(words).slice(0, MAX_COMMAND_CHARACTERS);
};

/** Nearest first. The first process of the machine or the container is everybody's parent, and tells nothing. */
const parentsOf = (stat: string | null, procfs: string): readonly number[] => {
  const parents: number[] = [];
  let parent = parseStat(stat)?.parent ?? 0;
  while (parent > 1 && parents.length < MAX_PARENTS && !parents.includes(parent)) {
    parents.push(parent);
    parent = parseStat(textIfAllowed(`${procfs}/${parent}/stat`))?.parent ?? 0;
  }
  return parents;
};

/** `flags` of fdinfo are those of open(2), in octal; the last two bits are the access mode, 0 for reading alone. */
const mayWrite = (fdinfo: string | null): boolean => {
  const flags = /^flags:\s*([0-7]+)$/m.exec(fdinfo ?? '')?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0;
};

/** The name of the effective user; its number where the name is not in the file (LDAP, another container). */
const userOf = (status: string | null, passwd: string): string | null => {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status ?? '')?.[1];
  if (uid === undefined) return null;
  const line = textIfAllowed(passwd)
    ?.split('\n')
    .find((entry) => entry.split(':')[2] === uid);
  return line?.split(':')[0] ?? uid;
};

const openFoldersOf = (folder: string, counts: (descriptor: string) => boolean): readonly string[] => {
  const folders = new Set<string>();
  for (const descriptor of (namesIfAllowed(`${folder}/fd`) ?? []).slice(0, MAX_DESCRIPTORS)) {
    const target = linkIfAllowed(`${folder}/fd/${descriptor}`);
    if (target === null || !target.startsWith('/') || /^\/(dev|proc|sys)\//.test(target)) continue;
    if (!counts(descriptor)) continue;
    folders.add(dirname(target.replace(/ \(deleted\)$/, '')));
    if (folders.size === MAX_FOLDERS) break;
  }
  return [...folders];
};
