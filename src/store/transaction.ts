import Database from 'better-sqlite3';

/** Runs work as one transaction; nested calls join the outermost one. */
export type Transactions = {
  readonly run: <T>(work: () => T) => T;
  /** False after a write failed (disk full, read-only, I/O error), until one succeeds again. */
  readonly writable: () => boolean;
};

/**
 * `beforeCommit` runs at the end of every outermost transaction, inside it; `afterCommit` only once that is committed.
 * So what is kept in memory until it is written can ride along, and is let go of only when it is safely stored.
 */
export const createTransactions = (
  db: Database.Database,
  { beforeCommit, afterCommit }: { readonly beforeCommit: () => void; readonly afterCommit: () => void },
): Transactions => {
  let writable = true;
  // Deferred: a transaction that writes nothing costs nothing, and there is no other writer that could be in the way.
  const { deferred } = db.transaction((work: () => unknown) => {
    const result = work();
    beforeCommit();
    return result;
  });
  const runOutermost = <T>(work: () => T): T => {
    try {
      // It returns what `work` does.
      const result = deferred(work) as T;
      writable = true;
      afterCommit();
      return result;
    } catch (error) {
      if (error instanceof Database.SqliteError) writable = false;
      throw error;
    }
  };
  return {
    run: (work) => (db.inTransaction ? work() : runOutermost(work)),
    writable: () => writable,
  };
};
