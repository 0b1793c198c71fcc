import { realpath, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HostDetail } from '../../core/host-detail.ts';
import type { OpenHostFile } from './file.ts';
import { type Mount, mountOf, parseMounts } from './mounts.ts';
import { createQuestion } from './question.ts';
import { createPace, type Reading } from './reading.ts';

/** Space of one file system, in bytes; `free` is what this user may still write. `path` is without symbolic links. */
export type Space = { readonly path: string; readonly total: number; readonly used: number; readonly free: number };

type Use = HostDetail['spaces'][number]['use'];

/** Space changes slowly, and the question costs more than all of /proc. */
const ASK_EVERY_MS = 5000;
const MOUNTS_EVERY_MS = 10_000;
const SHM = '/dev/shm';
const NO_ANSWER = 'its file system has not answered';

/**
 * Space where runs and the database are, and of /dev/shm. Of a folder that does not exist yet the nearest one that does
 * is asked. A network disk that hangs keeps one thread of the pool busy, however many folders on it are watched: of the
 * folders below one mount point only one is asked at a time.
 */
export const createSpaces = (
  { procfs, roots, database }: { procfs: string; roots: readonly string[]; database: string },
  open: OpenHostFile,
) => {
  const mountinfo = open(`${procfs}/self/mountinfo`);
  const isTimeForMounts = createPace(MOUNTS_EVERY_MS);
  let mountsText: string | null = null;
  let mounts: readonly Mount[] = [];
  const watches = [
    ...[...new Set(roots)].map((path) => watchOf(path, 'watched', () => nearestSpaceOf(path))),
    watchOf(dirname(database), 'database', () => nearestSpaceOf(dirname(database))),
    watchOf(SHM, 'shm', () => spaceOf(SHM)),
  ];

  return {
    look: (at: number) => {
      if (isTimeForMounts(at)) {
        const text = mountinfo.read();
        if (text !== mountsText) mounts = parseMounts(text ?? '');
        mountsText = text;
      }
      const placeOf = ({ path, real }: { path: string; real: string | null }) => mountOf(real ?? path, mounts);
      const owing = new Set(watches.filter(({ question }) => question.isOpen()).map((each) => placeOf(each)?.point));
      const spaces = watches.map((watch) => {
        const mount = placeOf(watch);
        const space = watch.question.latest(mount === null || !owing.has(mount.point));
        if (watch.question.isOpen()) owing.add(mount?.point);
        watch.real = space?.path ?? watch.real;
        return {
          path: watch.path,
          use: watch.use,
          type: mount?.type ?? null,
          total: space?.total ?? null,
          free: space?.free ?? null,
          used: space?.used ?? null,
        };
      });
      const frees = spaces.flatMap(({ use, free }) => (use === 'shm' ? [] : (free ?? [])));
      const shm = spaces.find(({ use }) => use === 'shm');
      const readings = {
        diskFree: frees.length === 0 ? NO_ANSWER : Math.min(...frees),
        shmUsed: shm?.used ?? `${SHM} is not there, or ${NO_ANSWER}`,
        shmTotal: shm?.total ?? `${SHM} is not there, or ${NO_ANSWER}`,
      } satisfies Record<string, Reading>;
      return { readings, spaces: spaces.map(({ used: _, ...space }) => space) };
    },
    close: mountinfo.close,
  };
};

const watchOf = (path: string, use: Use, ask: () => Promise<Space>) => ({
  path,
  use,
  /** Where it really is, as far as that was said. */
  real: null as string | null, // widened: it is set by the first answer
  question: createQuestion(ASK_EVERY_MS, ask),
});

const spaceOf = async (path: string): Promise<Space> => {
  const real = await realpath(path);
  const { bsize, frsize = 0, blocks, bfree, bavail } = await statfs(real);
  // Blocks are counted in fragments (statvfs(3)), which differ from the block size on FUSE; Node 22 does not say them.
  const unit = frsize || bsize;
  return { path: real, total: blocks * unit, used: (blocks - bfree) * unit, free: bavail * unit };
};

const nearestSpaceOf = async (path: string): Promise<Space> => {
  try {
    return await spaceOf(path);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (!missing || dirname(path) === path) throw error;
    return nearestSpaceOf(dirname(path));
  }
};
