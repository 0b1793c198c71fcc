import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isLocal } from '../../collectors/file/access.ts';
import { fileOrNull, statOrNull } from '../../collectors/file/stat.ts';
import { mountOf, parseMounts } from '../../collectors/host/mounts.ts';
import { textIfAllowed } from '../../collectors/process/files.ts';
import { RUN_FILES } from '../../collectors/run/files.ts';
import { createRunFinder } from '../../collectors/run/finder.ts';
import { codeOfError, tryTo } from './error-code.ts';
import type { Tell } from './tell.ts';

/** A watched folder, as the service would find it. */
export type FolderFacts = {
  readonly path: string;
  /** `unreadable` with the code of the error. */
  readonly state: 'there' | 'missing' | 'not-a-folder' | 'unreadable';
  readonly code: string | null;
  /** As it is mounted, such as ext4, nfs4, fuse.sshfs; null: not known. */
  readonly fileSystem: string | null;
  /** Hints of changes come: the disk is this machine's own. */
  readonly givesHints: boolean;
  readonly runFolders: number;
  /** Folders on the way that may not be read. */
  readonly unreadable: number;
  readonly walkMs: number;
  /** False: the walk was ended when its time was up. */
  readonly isWhole: boolean;
  /** How far the newest file of a run is ahead of this machine's clock; negative: how old it is. null: there is none. */
  readonly newestAheadMs: number | null;
};

export type FolderQuestion = { readonly path: string; readonly procfs: string; readonly walkLimitMs: number };

export const readFolder = async ({ path, procfs, walkLimitMs }: FolderQuestion, tell: Tell): Promise<FolderFacts> => {
  const nothing = {
    ...{ path, code: null, fileSystem: null, givesHints: false, runFolders: 0, unreadable: 0 },
    ...{ walkMs: 0, isWhole: true, newestAheadMs: null },
  };
  tell(`looking at ${path}`);
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return { ...nothing, state: 'missing' };
    if (!found.isDirectory()) return { ...nothing, state: 'not-a-folder' };
  } catch (error) {
    return { ...nothing, state: 'unreadable', code: codeOfError(error) };
  }
  const code = tryTo(() => readdirSync(path));
  if (code !== null) return { ...nothing, state: 'unreadable', code };
  const givesHints = await isLocal(path);
  tell(`searching ${path} for runs`);
  return {
    ...nothing,
    state: 'there',
    fileSystem: fileSystemOf(path, procfs),
    givesHints,
    ...(await walk(path, walkLimitMs)),
  };
};

/** By the mount that the name lies on, so that `fuse.sshfs` can be told from other FUSE. */
export const fileSystemOf = (path: string, procfs: string): string | null =>
  mountOf(path, parseMounts(textIfAllowed(join(procfs, 'self/mountinfo')) ?? ''))?.type ?? null;

/** Walks as the service does, with its own finder. */
const walk = async (root: string, limitMs: number) => {
  const folders: string[] = [];
  let unreadable = 0;
  const count = () => {
    unreadable += 1;
  };
  const finder = createRunFinder({
    roots: [root],
    onFolder: (folder) => folders.push(folder),
    isWatched: () => false,
    settled: new Map(),
    log: { info: () => {}, warn: count, error: count },
  });
  const startedAt = performance.now();
  const limit = AbortSignal.timeout(limitMs);
  const isWhole = await finder.collect(limit).then(
    () => true,
    (error: unknown) => {
      if (limit.aborted) return false;
      throw error;
    },
  );
  const walkMs = performance.now() - startedAt;
  const newest = await newestOf(folders);
  return {
    ...{ runFolders: folders.length, unreadable, walkMs, isWhole },
    newestAheadMs: newest === null ? null : newest - Date.now(),
  };
};

/** The newest change of a run's file, in the clock of whoever wrote it; only the folders that changed last are asked. */
const newestOf = async (folders: readonly string[]): Promise<number | null> => {
  const changed = await Promise.all(
    folders.map(async (folder) => ({ folder, at: Number((await statOrNull(folder))?.mtimeMs ?? 0) })),
  );
  const latest = changed.toSorted((a, b) => b.at - a.at).slice(0, MOST_FOLDERS_ASKED);
  const files = await Promise.all(
    latest.flatMap(({ folder }) => RUN_FILES.map((name) => fileOrNull(join(folder, name)))),
  );
  const times = files.flatMap((file) => (file === null ? [] : Number(file.mtimeMs)));
  return times.length === 0 ? null : Math.max(...times);
};

const MOST_FOLDERS_ASKED = 200;
