import Database from 'better-sqlite3';
import { StoreError } from './store-error.ts';

/** The right to write a database; held until released or until the process ends, however it ends. */
export type Claim = { readonly release: () => void };

/**
 * Claims a database, given by its real path, for this process, or throws a {@link StoreError} that names the process that has it.
 * The claim is SQLite's own lock on a file of its own, `FILE.lock`: the kernel drops it with the process, so there is
 * no stale lock to clean up, and the database itself stays free for readers of other processes.
 */
export const claimDatabase = (path: string): Claim => {
  const lock = new Database(`${path}.lock`, { timeout: 0 });
  try {
    // A rollback journal, not WAL: its RESERVED lock keeps writers out and lets anybody read the pid.
    lock.pragma('journal_mode = DELETE');
    lock.exec('BEGIN IMMEDIATE');
    // The header field user_version holds the pid: no table needed.
    lock.pragma(`user_version = ${process.pid}`);
    lock.exec('COMMIT');
    // Whoever slips in between the two transactions has the claim, and this one fails: one winner in any case.
    lock.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const claimed = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
    const holder = claimed ? lock.pragma('user_version', { simple: true }) : null;
    lock.close();
    if (!claimed) throw error;
    throw new StoreError(`${path} is already in use by process ${holder}`, { cause: error });
  }
  return { release: () => lock.close() };
};
