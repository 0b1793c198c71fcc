import type { BigIntStats, Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import { fileOrNull, isMissing, statOrNull } from '../file/stat.ts';
import { isRunTreeFolder, RUN_FILES } from './files.ts';

/** Finds run folders. */
export type RunFinder = Collector & {
  /** The files of the run folder at this path as they were last seen; null: none is known there. */
  readonly filesOf: (path: string) => string | null;
};

/** What the finder is given. */
export type RunFinderParts = {
  /** Searched at any depth. They may appear later, overlap, or be run folders themselves. */
  readonly roots: readonly string[];
  /** Called for a run folder at its first sight, and again when its files changed while nobody looked at it. */
  readonly onFolder: (path: string) => void;
  /** Whether the folder has a collector of its own, which then sees its changes. */
  readonly isWatched: (path: string) => boolean;
  /** Folders (`DEVICE:INODE`) whose runs have ended, with their files as they were then: nobody needs to hear of them. */
  readonly settled: ReadonlyMap<string, Told>;
  readonly log: Log;
};

const EVERY_MS = 5000;
/** A tree of years on a network disk takes minutes at its first walk. */
const TIMEOUT_MS = 10 * 60_000;
/** The walks take at most this share of the time: with ten thousand folders they become rarer, not dearer. */
const MAX_SHARE = 0.05;
const OLD_AFTER_MS = 24 * 3_600_000;
/** A folder that changed less than this before it was read may have changed again within the same mtime. */
const SETTLED_AFTER_MS = 2000;

/** A folder as last read: while its mtime stays, it has the same entries. */
type Listing = {
  readonly mtimeNs: bigint;
  readonly settled: boolean;
  readonly runFiles: readonly string[];
  readonly folders: readonly string[];
};

/** A run folder as `onFolder` was last told of it, or as a walk last found it while it had a collector of its own. */
export type Told = { readonly path: string; readonly files: string };

/**
 * Finds run folders. A hint looks at the one folder that it names. The poll walks the trees for what hints miss:
 * folders are known by their inode, so that each is told of once, by the first path that leads to it, through symbolic
 * links and overlapping roots too. The finder has no data of its own: its batch is empty.
 */
export const createRunFinder = ({ roots, onFolder, isWatched, settled, log }: RunFinderParts): RunFinder => {
  const listings = new Map<string, Listing>();
  const told = new Map<string, Told>(settled);
  const filesAt = new Map<string, string>();
  /** Run folders that nobody has written to for long: a walk is soon enough for them. */
  const old = new Set<string>();
  const unreadable = new Set<string>();
  let restUntil = 0;
  let hasWalked = false;

  const listFolder = async (path: string, id: string, { mtimeNs, mtimeMs }: BigIntStats): Promise<Listing> => {
    const known = listings.get(id);
    if (known?.settled && known.mtimeNs === mtimeNs) return known;
    const settled = Date.now() - Number(mtimeMs) > SETTLED_AFTER_MS;
    const entries = await readdir(path, { withFileTypes: true });
    const listing = {
      mtimeNs,
      settled,
      runFiles: entries.filter((entry) => !entry.isDirectory() && RUN_FILES.includes(entry.name)).map(nameOf),
      folders: entries.filter((entry) => !entry.isFile() && isRunTreeFolder(entry.name)).map(nameOf),
    };
    listings.set(id, listing);
    return listing;
  };

  const readFolder = async (path: string): Promise<{ readonly id: string; readonly listing: Listing } | null> => {
    try {
      const found = await statOrNull(path);
      if (!found?.isDirectory()) return null;
      const id = `${found.dev}:${found.ino}`;
      return { id, listing: await listFolder(path, id, found) };
    } catch (error) {
      // One folder that cannot be read (EACCES, ELOOP, ESTALE) must not hide the others.
      if (!isMissing(error) && !unreadable.has(path)) {
        unreadable.add(path);
        log.warn({ path, err: error }, 'a folder cannot be searched for runs');
      }
      return null;
    }
  };

  const tellIfNew = async (path: string, id: string, { runFiles }: Listing): Promise<void> => {
    const described = await describeFiles(path, runFiles);
    if (described === null) return;
    const { files, writtenAt } = described;
    if (Date.now() - writtenAt > OLD_AFTER_MS) old.add(path);
    else old.delete(path);
    const before = told.get(id);
    told.set(id, { path, files });
    filesAt.set(path, files);
    if (before?.path !== path || (before.files !== files && !isWatched(path))) onFolder(path);
  };

  const walk = async (signal: AbortSignal): Promise<void> => {
    const visited = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      signal.throwIfAborted();
      const folder = await readFolder(path);
      if (folder === null || visited.has(folder.id)) return;
      visited.add(folder.id);
      await tellIfNew(path, folder.id, folder.listing);
      for (const name of folder.listing.folders) await visit(join(path, name));
    };
    for (const root of roots) await visit(resolve(root));
    for (const known of [listings, told]) {
      for (const id of known.keys()) if (!visited.has(id)) known.delete(id);
    }
    const paths = new Set([...told.values()].map(({ path }) => path));
    for (const known of [filesAt, old]) for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
  };

  const lookAt = async (path: string): Promise<void> => {
    const folder = await readFolder(path);
    if (folder === null) return;
    // Known by another path, which may be gone: the walk decides by which path it goes on.
    const before = told.get(folder.id);
    if (before === undefined || (before.path === path && !isWatched(path)))
      await tellIfNew(path, folder.id, folder.listing);
  };

  return {
    filesOf: (path) => filesAt.get(path) ?? null,
    name: 'run-finder',
    when: { everyMs: EVERY_MS, trees: { roots, files: RUN_FILES, leavesOut: (path) => old.has(path) } },
    timeoutMs: TIMEOUT_MS,
    collect: async (signal, hints) => {
      if (hints !== undefined) {
        for (const folder of new Set(hints.map((hint) => dirname(hint)))) await lookAt(folder);
      } else if (performance.now() >= restUntil) {
        const startedAt = performance.now();
        await walk(signal);
        // The first walk goes beside our own start, and hints come only after it: the second follows it soon, whatever it took.
        if (hasWalked) restUntil = performance.now() + (performance.now() - startedAt) / MAX_SHARE;
        hasWalked = true;
      }
      return {};
    },
  };
};

const nameOf = (entry: Dirent): string => entry.name;

/** `files` changes when one of the files does; `writtenAt` is the newest mtime; null when none of the names is that of a file. */
const describeFiles = async (
  folder: string,
  names: readonly string[],
): Promise<{ readonly files: string; readonly writtenAt: number } | null> => {
  const stats = await Promise.all(names.map((name) => fileOrNull(join(folder, name))));
  if (stats.every((file) => file === null)) return null;
  return {
    files: stats.map((file) => (file === null ? '-' : `${file.ino}:${file.size}:${file.mtimeNs}`)).join(' '),
    writtenAt: Math.max(...stats.map((file) => Number(file?.mtimeMs ?? 0))),
  };
};
