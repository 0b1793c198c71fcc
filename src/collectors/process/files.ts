import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Small reads of /proc, synchronous: a few microseconds each. All give null for a process that is gone or not ours. */
export const textIfAllowed = (path: string): string | null => ifAllowed(() => readFileSync(path, 'utf8'));

/** What a link points to. */
export const linkIfAllowed = (path: string): string | null => ifAllowed(() => readlinkSync(path));

/** The names in a folder. */
export const namesIfAllowed = (path: string): readonly string[] | null => ifAllowed(() => readdirSync(path));

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
