import type { Database } from 'better-sqlite3';
import type { Store } from '../core/ports.ts';

/** The table of the GPUs that runs have used. */
export type RunGpus = Pick<Store, 'listRunGpus' | 'addRunGpus'>;

export const createRunGpus = (db: Database): RunGpus => {
  const ofRun = db.prepare<[string], Row>(
    'SELECT subject, first_at AS firstAt, last_at AS lastAt FROM run_gpus WHERE run = ? ORDER BY subject',
  );
  // min and max of a null and a number are null: what is not known stays so, and does not take away what is.
  const add = db.prepare<[Row & { run: string }]>(`
    INSERT INTO run_gpus (run, subject, first_at, last_at) VALUES (@run, @subject, @firstAt, @lastAt)
    ON CONFLICT DO UPDATE SET
      first_at = coalesce(min(first_at, excluded.first_at), first_at, excluded.first_at),
      last_at = coalesce(max(last_at, excluded.last_at), last_at, excluded.last_at)
    WHERE excluded.first_at IS NOT NULL`);

  return {
    listRunGpus: (run) => ofRun.all(run),
    addRunGpus: (run, gpus) => {
      for (const gpu of gpus) add.run({ run, ...gpu });
    },
  };
};

type Row = { subject: string; firstAt: number | null; lastAt: number | null };
