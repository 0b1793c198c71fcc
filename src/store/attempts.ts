import type { Database } from 'better-sqlite3';
import type { ObservedResults, ObservedRow } from '../core/batch.ts';
import { type Attempt, type AttemptKind, isActive, type RunState } from '../core/run.ts';

/** The table of attempts: which process of a run wrote which rows. An attempt is opened by its first row. */
export type Attempts = {
  readonly list: (run: string) => readonly Attempt[];
  /** The attempt that a row of a result file belongs to, opened when there is none. */
  readonly of: (run: string, results: ObservedResults, row: ObservedRow) => OpenAttempt;
};

export type OpenAttempt = { readonly attempt: number; readonly kind: AttemptKind };

export const createAttempts = (db: Database): Attempts => {
  const ofRun = db.prepare<[string], Row>('SELECT * FROM attempts WHERE run = ? ORDER BY attempt DESC');
  const insert = db.prepare<[Row & { run: string }]>(`
    INSERT INTO attempts (run, attempt, kind, generation, inode, file_attempt)
    VALUES (@run, @attempt, @kind, @generation, @inode, @file_attempt)`);
  const moveFile = db.prepare<[{ run: string; attempt: number; inode: number }]>(
    'UPDATE attempts SET inode = @inode WHERE run = @run AND attempt = @attempt',
  );
  const lastEpoch = db
    .prepare<[string, number], number | null>('SELECT max(epoch) FROM epochs WHERE run = ? AND attempt = ?')
    .pluck();
  const summaries = db.prepare<[{ run: string }], Summary>(`
    SELECT attempts.attempt, kind, first_epoch, last_epoch, rows, first.at AS first_at,
      first.elapsed_s AS first_elapsed_s, last.at AS last_at, runs.state AS run_state
    FROM attempts
    JOIN runs ON runs.id = attempts.run
    JOIN (
      SELECT attempt, min(epoch) AS first_epoch, max(epoch) AS last_epoch, count(*) AS rows
      FROM epochs WHERE run = @run GROUP BY attempt
    ) AS extent ON extent.attempt = attempts.attempt
    JOIN epochs AS first ON first.run = @run AND first.attempt = extent.attempt AND first.epoch = first_epoch
    JOIN epochs AS last ON last.run = @run AND last.attempt = extent.attempt AND last.epoch = last_epoch
    WHERE attempts.run = @run
    ORDER BY attempts.attempt`);

  const open = (run: string, results: ObservedResults, row: ObservedRow, newest: Row | undefined): OpenAttempt => {
    const attempt = (newest?.attempt ?? 0) + 1;
    const kind = newest === undefined ? 'start' : kindOf(row, lastEpoch.get(run, newest.attempt) ?? null);
    const { generation, inode } = results;
    insert.run({ run, attempt, kind, generation, inode, file_attempt: row.fileAttempt });
    return { attempt, kind };
  };

  return {
    list: (run) => {
      const rows = summaries.all({ run });
      return rows.map((row, index) => attemptOf(row, index === rows.length - 1));
    },
    of: (run, results, row) => {
      const rows = ofRun.all(run);
      const ofFile = rows.filter(
        ({ generation, file_attempt }) => generation === results.generation && file_attempt === row.fileAttempt,
      );
      const exact = ofFile.find(({ inode }) => inode === results.inode);
      const known = exact ?? (results.fresh ? undefined : ofFile[0]);
      if (known === undefined) return open(run, results, row, rows[0]);
      if (known !== exact) moveFile.run({ run, attempt: known.attempt, inode: results.inode });
      return known;
    },
  };
};

type Row = { attempt: number; kind: AttemptKind; generation: string; inode: number; file_attempt: number };

type Summary = {
  attempt: number;
  kind: AttemptKind;
  first_epoch: number;
  last_epoch: number;
  rows: number;
  first_at: number | null;
  first_elapsed_s: number | null;
  last_at: number | null;
  run_state: RunState;
};

/**
 * How an attempt after the first one began: as the file says, and at the top of a new file it is a re-run, unless it
 * goes on after the last epoch stored (a resume that lost its file).
 */
const kindOf = (row: ObservedRow, lastEpoch: number | null): AttemptKind => {
  if (row.fileAttempt > 0) return row.fileAttemptKind;
  return lastEpoch !== null && row.epoch > lastEpoch ? 'resume' : 'rerun';
};

/** An attempt ends with its last row, unless it is the newest one of a run that is still active. */
const attemptOf = (row: Summary, isNewest: boolean): Attempt => ({
  attempt: row.attempt,
  kind: row.kind,
  firstEpoch: row.first_epoch,
  lastEpoch: row.last_epoch,
  epochs: row.rows,
  startedAt:
    row.first_at === null || row.first_elapsed_s === null
      ? null
      : Math.round(row.first_at - row.first_elapsed_s * 1000),
  endedAt: isNewest && isActive({ state: row.run_state }) ? null : row.last_at,
});
