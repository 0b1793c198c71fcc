import type { Database } from 'better-sqlite3';
import type { PhaseChange } from '../core/output.ts';
import type { StoreReader } from '../core/ports.ts';

/** The table of phases: from when on a run was in which. */
export type Phases = Pick<StoreReader, 'listPhases'> & {
  readonly put: (run: string, phases: readonly PhaseChange[]) => void;
};

/** More than two thousand epochs; the oldest go. */
const KEPT_A_RUN = 10_000;

export const createPhases = (db: Database): Phases => {
  const insert = db.prepare<[string, number, number, string, number]>(
    'INSERT INTO phases (run, attempt, epoch, phase, at) VALUES (?, ?, ?, ?, ?)',
  );
  const dropOldest = db.prepare<[{ run: string; kept: number }]>(`
    DELETE FROM phases WHERE run = @run AND at <= (
      SELECT at FROM phases WHERE run = @run ORDER BY at DESC LIMIT 1 OFFSET CAST(@kept AS INTEGER)
    )`);
  const between = db.prepare<[{ run: string; from: number; to: number }], PhaseChange>(`
    SELECT attempt, epoch, phase, at FROM phases
    WHERE run = @run AND at >= @from AND at < @to ORDER BY at, number`);

  return {
    put: (run, phases) => {
      for (const { attempt, epoch, phase, at } of phases) insert.run(run, attempt, epoch, phase, at);
      if (phases.length > 0) dropOldest.run({ run, kept: KEPT_A_RUN });
    },
    listPhases: (run, { from, to }) => between.all({ run, from, to }),
  };
};
