import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As the driver's own programs ask for it; a plain `libnvidia-ml.so` belongs to development kits and may be a dummy. */
export const SONAME = 'libnvidia-ml.so.1';

/** Where drivers and containers put it when the loader does not know it. */
const FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/nvidia/lib64',
  '/usr/lib/wsl/lib',
  '/run/opengl-driver/lib',
];

/** What to try, in this order: the file that was named and nothing else, or the loader's and then the usual places. */
export const placesOf = (named: string | null): readonly string[] =>
  named === null ? [SONAME, ...FOLDERS.map((folder) => join(folder, SONAME))] : [named];

/**
 * Whether there is any chance that the library loads, without loading it: a machine without a driver is not to pay for
 * a child process. `searchPath` is LD_LIBRARY_PATH.
 */
export const mayHaveLibrary = (named: string | null, searchPath: string): boolean =>
  named !== null ||
  [...searchPath.split(':').filter((folder) => folder !== ''), ...FOLDERS].some((folder) =>
    existsSync(join(folder, SONAME)),
  ) ||
  loaderKnows();

/** The loader's cache holds the names and paths of all libraries as plain text; without one (musl) only folders count. */
const loaderKnows = (): boolean => {
  try {
    return readFileSync('/etc/ld.so.cache').includes(SONAME);
  } catch {
    return false;
  }
};
