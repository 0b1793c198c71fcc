import { existsSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { claimDatabase } from '../claim.ts';
import { StoreError } from '../store-error.ts';
import { openReader } from './open-reader.ts';

/** Size of the file before and after, bytes. */
export type Vacuumed = { readonly before: number; readonly after: number };

/**
 * Writes a database anew without its free pages, and so that it can give them back by itself from now on. Throws
 * {@link StoreError} while a service has it, and when the disk has no room for a second one beside it.
 */
export const vacuum = (path: string, newestSchema: number): Vacuumed => {
  openReader(path, newestSchema).close();
  const name = realpathSync(path);
  const claim = claimDatabase(name);
  try {
    const before = sizeOf(name);
    const { bavail, bsize } = statfsSync(dirname(name));
    // The new one is made in a temporary file, and goes through the log into the file.
    if (bavail * bsize < 2 * before) {
      throw new StoreError(`${path}: there is no room for it; it takes ${2 * before} bytes while it is written anew`);
    }
    const db = new Database(name);
    try {
      db.pragma('auto_vacuum = INCREMENTAL');
      db.exec('VACUUM');
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
    return { before, after: sizeOf(name) };
  } finally {
    claim.release();
  }
};

const sizeOf = (path: string): number => {
  const log = `${path}-wal`;
  return statSync(path).size + (existsSync(log) ? statSync(log).size : 0);
};
