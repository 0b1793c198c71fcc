import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { watch as watchWithChokidar } from 'chokidar';
import type { Trees } from '../../core/ports.ts';
import { isLocal } from '../file/access.ts';
import { isMissing, statOrNull } from '../file/stat.ts';
import { isRunTreeFolder } from '../run/files.ts';

/** A source of hints. A hint says that a look is worth while, never what is there: hints get lost, on NFS there are none. */
export type Watch = {
  /** Arms the watch where its folder came or was replaced since. To be called before a look that sees everything. */
  readonly refresh: () => Promise<void>;
  /** False where hints are not to be relied on: no watch could be had, or another machine may write (NFS). */
  readonly givesHints: () => boolean;
  readonly close: () => Promise<void>;
};

/** Hears of a watch that cannot be had (ENOSPC: out of inotify watches; EMFILE, EACCES): then there are no hints. */
export type OnWatchProblem = (error: unknown) => void;

/**
 * Hints from one folder, not from the folders in it, within half a millisecond of a change. `onHint` gets the path of
 * the file, or null where the system does not name it. The folder need not exist. Watches from the first `refresh` on.
 */
export const watchFolder = (
  folder: string,
  onHint: (path: string | null) => void,
  onProblem: OnWatchProblem,
): Watch => {
  let watcher: FSWatcher | null = null;
  let armedOn: bigint | null = null;
  let local = false;
  let closed = false;

  const disarm = () => {
    watcher?.close();
    watcher = null;
    armedOn = null;
  };
  const arm = (inode: bigint) => {
    watcher = watch(folder, { persistent: false }, (_event, name) => onHint(name === null ? null : join(folder, name)));
    watcher.on('error', (error) => {
      disarm();
      onProblem(error);
    });
    armedOn = inode;
  };
  return {
    refresh: async () => {
      try {
        const found = await statOrNull(folder);
        if (closed || found?.ino === armedOn) return;
        disarm();
        if (!found) return;
        local = await isLocal(folder);
        if (!closed) arm(found.ino);
      } catch (error) {
        disarm();
        if (!isMissing(error)) onProblem(error);
      }
    },
    givesHints: () => armedOn !== null && local,
    close: async () => {
      closed = true;
      disarm();
    },
  };
};

/**
 * Hints from whole trees: `onHint` gets the path of every file called one of `files` that appears, changes or goes
 * below a root. Roots need not exist yet, and may overlap. A symbolic link inside a root is not followed, since it may
 * lead to a whole disk; a root that is one is.
 */
export const watchTrees = (trees: Trees, onHint: (path: string) => void, onProblem: OnWatchProblem): Watch => {
  const roots = new Set(trees.roots.map((root) => resolve(root)));
  // The separator at the end makes chokidar follow a root that is a symbolic link.
  const watcher = watchWithChokidar(
    [...roots].map((root) => root + sep),
    {
      ignoreInitial: true,
      persistent: false,
      followSymlinks: false,
      ignorePermissionErrors: true,
      atomic: false,
      ignored: (path, stats) => {
        const name = basename(path);
        if (roots.has(resolve(path))) return false;
        if (trees.files.includes(name)) return trees.leavesOut(resolve(dirname(path)));
        return stats?.isFile() === true || !isRunTreeFolder(name) || trees.leavesOut(resolve(path));
      },
    },
  );
  watcher.on('all', (_event, path) => {
    if (trees.files.includes(basename(path))) onHint(path);
  });
  let broken = false;
  watcher.on('error', (error) => {
    broken = true;
    onProblem(error);
  });
  return { refresh: async () => {}, givesHints: () => !broken, close: () => watcher.close() };
};
