import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** The stat of a path with exact inode and times; null when nothing is there. Throws what else goes wrong (EACCES, EIO). */
export const statOrNull = async (path: string): Promise<BigIntStats | null> => {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

/** As {@link statOrNull}, and null too for a pipe, a device or a folder of this name: those are never read. */
export const fileOrNull = async (path: string): Promise<BigIntStats | null> => {
  const found = await statOrNull(path);
  return found?.isFile() ? found : null;
};

/** True when an error says that a path, or a folder on the way to it, does not exist. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** The same file or folder, as far as inode and birth say: inodes alone are given anew at once by ext4. */
export const isSameFile = (a: BigIntStats | null, b: BigIntStats): boolean =>
  a !== null && a.dev === b.dev && a.ino === b.ino && a.birthtimeNs === b.birthtimeNs;

/** The same file with the same content, as far as a stat can say. */
export const isUnchanged = (a: BigIntStats | null, b: BigIntStats): boolean =>
  a !== null && isSameFile(a, b) && a.size === b.size && a.mtimeNs === b.mtimeNs;
