import { statfsSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';

/** How much a database takes, and how much is left for it. */
export type Space = {
  /** Of the file, without its free pages: those are used again first. */
  readonly usedBytes: number;
  readonly freePagesBytes: number;
  /** Of the write-ahead log beside it. */
  readonly logBytes: number;
  /** On the disk, for this user; Infinity in memory. */
  readonly diskFreeBytes: number;
  readonly isDiskLow: boolean;
};

const LOW_BYTES = 256 * 2 ** 20;
const LOW_SHARE = 0.05;

/** Reads the space of an open database. On small disks a share is little, on large ones an amount. */
export const spaceOf = (db: Database): (() => Space) => {
  const pages = db.prepare<[], { used: number; free: number }>(`
    SELECT (page_count - freelist_count) * page_size AS used, freelist_count * page_size AS free
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size`);
  return () => {
    const { used, free } = pages.get() ?? { used: 0, free: 0 };
    const inFile = { usedBytes: used, freePagesBytes: free };
    if (db.memory) return { ...inFile, logBytes: 0, diskFreeBytes: Number.POSITIVE_INFINITY, isDiskLow: false };
    const { bsize, bavail, blocks } = statfsSync(db.name);
    const diskFreeBytes = bavail * bsize;
    return {
      ...inFile,
      logBytes: statSync(`${db.name}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      diskFreeBytes,
      isDiskLow: diskFreeBytes < Math.min(LOW_BYTES, blocks * bsize * LOW_SHARE),
    };
  };
};
