import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Space of one file system, in bytes; `free` is what this user may still write. */
export type Space = { readonly total: number; readonly used: number; readonly free: number };

/** Space changes slowly, and the question costs more than all of /proc. In the machine's time: it is about its disks. */
const ASK_EVERY_MS = 5000;

/**
 * Asks a path's file system for its space without ever waiting for it: `latest` returns the newest answer and starts
 * the next question when it is time. null while there is none: at first, and while a network disk does not answer.
 * Of a folder that does not exist yet the nearest one that does is asked.
 */
export const createSpaceWatch = (path: string) => {
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking = false;
  let answer: Space | null = null;
  const ask = () => {
    askedAt = performance.now();
    asking = true;
    spaceOf(path)
      .catch(() => null)
      .then((space) => {
        answer = space;
        asking = false;
      });
  };
  return {
    latest: (): Space | null => {
      const overdue = performance.now() - askedAt >= ASK_EVERY_MS;
      if (asking) return overdue ? null : answer;
      if (overdue) ask();
      return answer;
    },
  };
};

const spaceOf = async (path: string): Promise<Space> => {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(path);
    return { total: blocks * bsize, used: (blocks - bfree) * bsize, free: bavail * bsize };
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (!missing || dirname(path) === path) throw error;
    return spaceOf(dirname(path));
  }
};
