import type { Database } from 'better-sqlite3';
import { ACTIVE_RUN_STATES } from '../../core/run.ts';

/** Deletes the steps and log lines of runs that have ended, of the oldest run first. */
export type OutputDrop = {
  /** Deletes a few. False: there are none. */
  readonly oldest: () => boolean;
};

const ROWS_A_STEP = 500;
const RUNS_A_STEP = 50;

export const createOutputDrop = (db: Database): OutputDrop => {
  const next = db.prepare<[RunKey & { active: string }], RunKey>(`
    SELECT coalesce(started_at, -1) AS startedAt, id FROM runs
    WHERE (coalesce(started_at, -1), id) > (@startedAt, @id)
      AND state NOT IN (SELECT value FROM json_each(@active))
    ORDER BY coalesce(started_at, -1), id LIMIT 1`);
  const dropLines = db.prepare<[{ run: string; limit: number }]>(`
    DELETE FROM log_lines WHERE number IN (
      SELECT number FROM log_lines WHERE run = @run ORDER BY number LIMIT @limit
    )`);
  const dropSteps = db.prepare<[{ run: string; limit: number }]>(`
    DELETE FROM steps WHERE (run, attempt, epoch, batch) IN (
      SELECT run, attempt, epoch, batch FROM steps WHERE run = @run ORDER BY attempt, epoch, batch LIMIT @limit
    )`);
  const active = JSON.stringify(ACTIVE_RUN_STATES);
  /** The last run that has nothing left; after the newest it begins with the oldest again. */
  let done = BEFORE_ALL;

  return {
    oldest: () => {
      for (let visited = 0; visited < RUNS_A_STEP; visited++) {
        const run = next.get({ ...done, active });
        if (run === undefined) {
          done = BEFORE_ALL;
          return false;
        }
        const of = { run: run.id, limit: ROWS_A_STEP };
        if (dropLines.run(of).changes > 0 || dropSteps.run(of).changes > 0) return true;
        done = run;
      }
      return true;
    },
  };
};

type RunKey = { readonly startedAt: number; readonly id: string };
const BEFORE_ALL: RunKey = { startedAt: -2, id: '' };
