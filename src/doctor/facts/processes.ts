import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { linkIfAllowed, namesIfAllowed, textIfAllowed } from '../../collectors/process/files.ts';
import { codeOfError } from './error-code.ts';
import type { Tell } from './tell.ts';

/** What we see of the processes of this machine, and what of inotify our user has in use. */
export type ProcessesFacts = {
  /** The mount option of /proc that hides others' processes, as it is written there; null: none. */
  readonly hidepid: string | null;
  readonly isRoot: boolean;
  readonly seen: number;
  /** Processes of other people (uid of 1000 or more), and how many of them show what they read and write. */
  readonly others: number;
  readonly othersReadable: number;
  /** In use by all processes of our user that can be looked at. `isWhole` false: there were too many to count. */
  readonly inotify: { readonly watches: number; readonly instances: number; readonly isWhole: boolean };
};

/** People's accounts begin here; below are those of the system's own services. */
const FIRST_PERSON = 1000;
const NOBODY = 65_534;
/** 64 thousand links are read in about half a second. */
const MOST_DESCRIPTORS = 65_536;

/** `uid`: ours. */
export type ProcessesQuestion = { readonly procfs: string; readonly uid: number };

export const readProcesses = async ({ procfs, uid }: ProcessesQuestion, tell: Tell): Promise<ProcessesFacts> => {
  const pids = readdirSync(procfs).filter((name) => /^\d+$/.test(name));
  const counted = { seen: 0, others: 0, othersReadable: 0 };
  const inotify = { watches: 0, instances: 0, isWhole: true };
  let descriptors = 0;
  for (const pid of pids) {
    const folder = join(procfs, pid);
    const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
    if (owner === undefined) continue;
    tell(`looking at process ${pid}`);
    counted.seen += 1;
    if (owner !== uid && owner >= FIRST_PERSON && owner !== NOBODY) {
      counted.others += 1;
      if (mayRead(join(folder, 'io'))) counted.othersReadable += 1;
    }
    if (owner !== uid) continue;
    for (const descriptor of namesIfAllowed(join(folder, 'fd')) ?? []) {
      descriptors += 1;
      if (linkIfAllowed(join(folder, 'fd', descriptor)) !== 'anon_inode:inotify') continue;
      inotify.instances += 1;
      inotify.watches += watchesIn(textIfAllowed(join(folder, 'fdinfo', descriptor)) ?? '');
    }
    if (descriptors > MOST_DESCRIPTORS) {
      inotify.isWhole = false;
      break;
    }
  }
  return { hidepid: hidepidOf(procfs), isRoot: uid === 0, ...counted, inotify };
};

/** One line for each watch, such as `inotify wd:3 ino:…`. */
const watchesIn = (fdinfo: string): number => fdinfo.match(/^inotify wd:/gm)?.length ?? 0;

const mayRead = (path: string): boolean => {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    const code = codeOfError(error);
    if (code === 'EACCES' || code === 'EPERM') return false;
    // It has ended meanwhile.
    if (code === 'ENOENT' || code === 'ESRCH') return true;
    throw error;
  }
};

/** An option of the file system, so it stands at the end of the line of its mount; see proc(5). */
const hidepidOf = (procfs: string): string | null => {
  const mounts = textIfAllowed(join(procfs, 'self/mountinfo'))?.split('\n') ?? [];
  const line = mounts.find((mount) => mount.split(' ')[4] === '/proc' && mount.includes(' - proc '));
  const option = /\bhidepid=(\w+)/.exec(line ?? '')?.[1];
  return option === undefined || option === '0' || option === 'off' ? null : option;
};
