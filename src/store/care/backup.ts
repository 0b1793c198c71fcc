import { existsSync, renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StoreError } from '../store-error.ts';
import { schemaOf } from './open-reader.ts';

/** 16 MiB: the reads of a running service come between. */
const PAGES_A_STEP = 4096;
const COUNTED = ['runs', 'epochs', 'alerts', 'events'] as const;

/**
 * Copies a database into a file of its own, also while a service writes it, and checks the copy; the file appears under
 * its name when it is whole. Throws {@link StoreError} when there is such a file already, or the copy is not sound.
 */
export const backUp = async (
  db: Database.Database,
  target: string,
  onProgress: (share: number) => void,
): Promise<void> => {
  if (existsSync(target)) throw new StoreError(`${target} is there already, and is not overwritten`);
  const partial = `${target}.partial`;
  const discard = () => {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${partial}${suffix}`, { force: true });
  };
  discard();
  // One snapshot: without it each row that the service writes would begin the copy anew.
  db.exec('BEGIN');
  try {
    const before = countsOf(db);
    await db.backup(partial, {
      progress: ({ totalPages, remainingPages }) => {
        onProgress(totalPages === 0 ? 0 : 1 - remainingPages / totalPages);
        return PAGES_A_STEP;
      },
    });
    verify(partial, before);
    if (existsSync(target)) throw new StoreError(`${target} has appeared meanwhile, and is not overwritten`);
    renameSync(partial, target);
  } finally {
    db.exec('COMMIT');
    discard();
  }
};

const verify = (path: string, before: readonly number[]): void => {
  const copy = new Database(path);
  try {
    // A single file, to be carried anywhere.
    copy.pragma('journal_mode = DELETE');
    const verdict = copy.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok') throw new StoreError(`the copy is damaged, as the database may be: ${verdict}`);
    if (countsOf(copy).some((count, i) => count !== before[i])) {
      throw new StoreError('the copy does not hold what the database holds');
    }
  } finally {
    copy.close();
  }
};

const countsOf = (db: Database.Database): readonly number[] => [
  schemaOf(db),
  ...COUNTED.map((table) => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0),
];
