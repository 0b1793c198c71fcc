import type { Database } from 'better-sqlite3';
import type { Store } from '../core/ports.ts';

/** The table of old runs that are still to be judged. */
export const createPutOff = (db: Database): Pick<Store, 'putOffJudging' | 'isPutOff' | 'nextPutOff' | 'endPutOff'> => {
  const insert = db.prepare<[string]>('INSERT OR IGNORE INTO put_off (run) VALUES (?)');
  const next = db.prepare<[], string>('SELECT run FROM put_off LIMIT 1').pluck();
  const one = db.prepare<[string]>('SELECT 1 FROM put_off WHERE run = ?');
  const remove = db.prepare<[string]>('DELETE FROM put_off WHERE run = ?');
  return {
    putOffJudging: (run) => void insert.run(run),
    isPutOff: (run) => one.get(run) !== undefined,
    nextPutOff: () => next.get() ?? null,
    endPutOff: (run) => remove.run(run).changes > 0,
  };
};
