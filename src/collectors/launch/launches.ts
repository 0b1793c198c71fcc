import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../file/stat.ts';
import { LAUNCH_FILES, type Launch, readLaunch } from './folder.ts';

/** The launches in a `launches` folder that are wanted, by their id, the newest first; none where there is no folder. */
export const listLaunches = async (
  launches: string,
  isWanted: (id: string) => boolean = () => true,
): Promise<readonly Launch[]> => {
  const ids = (await namesIn(launches))
    .filter((name) => LAUNCH_ID.test(name) && isWanted(name))
    .toSorted()
    .reverse();
  const found: Launch[] = [];
  // One after the other: a few small files each, and the disk is the training's.
  for (const id of ids) {
    const launch = await readLaunch(join(launches, id));
    if (launch !== null) found.push(launch);
  }
  return found;
};

/**
 * Removes the launches that have ended and are older than the newest `keep`; resolves to their ids. A launch without an
 * end stays, and so does every file that is not ours, with its folder.
 */
export const pruneLaunches = async (launches: string, keep: number): Promise<readonly string[]> => {
  const old = (await listLaunches(launches)).slice(keep).filter(({ exit }) => exit !== null);
  for (const { id } of old) await removeLaunch(join(launches, id));
  return old.map(({ id }) => id);
};

/** As `signalbox run` names them: the second of the start, and six letters against a second one in it. */
const LAUNCH_ID = /^\d{14}-[0-9a-f]{6}$/;

const removeLaunch = async (folder: string): Promise<void> => {
  for (const name of LAUNCH_FILES) await rm(join(folder, name), { force: true });
  try {
    await rmdir(folder);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error;
  }
};

const namesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
};
