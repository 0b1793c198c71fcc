import type { Database } from 'better-sqlite3';
import type { Store } from '../core/ports.ts';
import { ACTIVE_RUN_STATES } from '../core/run.ts';

/** The table of what the use of their GPUs came to for runs that have ended. */
export type RunStatistics = Pick<Store, 'runStatistics' | 'saveRunStatistics' | 'nextWithoutStatistics'> & {
  /** They are to be reckoned anew. */
  readonly forget: (run: string) => void;
};

export const createRunStatistics = (db: Database): RunStatistics => {
  const one = db
    .prepare<[string, string], string>('SELECT body FROM run_statistics WHERE run = ? AND grouping = ?')
    .pluck();
  const save = db.prepare<[string, string, number, string]>(
    'INSERT OR REPLACE INTO run_statistics (run, grouping, computed_at, body) VALUES (?, ?, ?, ?)',
  );
  const forget = db.prepare<[string]>('DELETE FROM run_statistics WHERE run = ?');
  const next = db
    .prepare<[string], string>(`
      SELECT run_gpus.run FROM run_gpus JOIN runs ON runs.id = run_gpus.run
      WHERE runs.state NOT IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM run_statistics WHERE run_statistics.run = run_gpus.run)
      LIMIT 1`)
    .pluck();

  return {
    runStatistics: (run, by) => {
      const body = one.get(run, by);
      // Written by saveRunStatistics.
      return body === undefined ? null : JSON.parse(body);
    },
    saveRunStatistics: (run, by, items, now) => {
      save.run(run, by, now, JSON.stringify(items));
    },
    nextWithoutStatistics: () => next.get(JSON.stringify(ACTIVE_RUN_STATES)) ?? null,
    forget: (run) => {
      forget.run(run);
    },
  };
};
