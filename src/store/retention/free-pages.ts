import type { Database } from 'better-sqlite3';

/** Gives space back to the disk. */
export type FreePages = {
  /**
   * Takes a few free pages out of the file while there are more than `spare`; the file itself shrinks at the next
   * checkpoint. True when there are more. A database from before this was possible keeps its pages for later rows,
   * until `signalbox db vacuum`.
   */
  readonly giveBack: (spare: number) => boolean;
  /** Moves the write-ahead log into the file and cuts it, unless somebody reads it just now. Not in a transaction. */
  readonly emptyLog: () => void;
};

const PAGES_A_STEP = 128;
const INCREMENTAL = 2;

export const createFreePages = (db: Database): FreePages => {
  const isPossible = db.pragma('auto_vacuum', { simple: true }) === INCREMENTAL;
  const free = db.prepare<[], number>('SELECT freelist_count FROM pragma_freelist_count').pluck();
  return {
    giveBack: (spare) => {
      const over = (free.get() ?? 0) - spare;
      if (!isPossible || over <= 0) return false;
      // Each row of its answer takes out one page.
      db.exec(`PRAGMA incremental_vacuum(${Math.min(over, PAGES_A_STEP)})`);
      return over > PAGES_A_STEP;
    },
    emptyLog: () => {
      const patience = db.pragma('busy_timeout', { simple: true });
      db.pragma('busy_timeout = 0');
      try {
        db.pragma('wal_checkpoint(TRUNCATE)');
      } finally {
        db.pragma(`busy_timeout = ${patience}`);
      }
    },
  };
};
