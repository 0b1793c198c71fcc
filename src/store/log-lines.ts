import type { Database } from 'better-sqlite3';
import type { LogLine } from '../core/output.ts';
import type { StoreReader } from '../core/ports.ts';

/** The table of log lines: the end of each run's console, its outputs together in the order in which they were read. */
export type LogLines = Pick<StoreReader, 'logTail'> & {
  /** Takes lines in the order of their output; returns those that stay. */
  readonly put: (run: string, lines: readonly LogLine[]) => readonly LogLine[];
};

const KEPT_A_RUN = 500;

export const createLogLines = (db: Database): LogLines => {
  const insert = db.prepare<[string, string, number | null, string, string | null]>(
    'INSERT INTO log_lines (run, source, at, line, code) VALUES (?, ?, ?, ?, ?)',
  );
  const dropOldest = db.prepare<[{ run: string; kept: number }]>(`
    DELETE FROM log_lines WHERE run = @run AND number <= (
      SELECT number FROM log_lines WHERE run = @run ORDER BY number DESC LIMIT 1 OFFSET CAST(@kept AS INTEGER)
    )`);
  const tail = db.prepare<[{ run: string; lines: number }], LogLine>(`
    SELECT at, source, line, code FROM log_lines WHERE run = @run ORDER BY number DESC LIMIT @lines`);

  return {
    put: (run, lines) => {
      const kept = lines.slice(-KEPT_A_RUN);
      for (const { source, at, line, code } of kept) insert.run(run, source, at, line, code);
      if (kept.length > 0) dropOldest.run({ run, kept: KEPT_A_RUN });
      return kept;
    },
    logTail: (run, lines) => tail.all({ run, lines }).reverse(),
  };
};
