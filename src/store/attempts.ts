import type { Database } from 'better-sqlite3';
import type { ObservedResults, ObservedRow } from '../core/batch.ts';
import { type Attempt, type AttemptKind, isActive, type RunState } from '../core/run.ts';

/** The table of attempts: which process of a run wrote which rows. An attempt is opened by its first row. */
export type Attempts = {
  readonly list: (run: string) => readonly Attempt[];
  /**
   * Says which attempt each row of one attempt of a result file belongs to, asked in file order; opened when there is
   * none. A file that was rewritten with other values for an epoch that is stored was rewritten by a resume (YOLOv7
   * shortens it to what its checkpoint knows): from that epoch on the rows are another attempt's, and what was read
   * before stays. Rows with a `time` show their resumes themselves: a new value there is a correction.
   */
  readonly ownerOf: (run: string, results: ObservedResults, first: ObservedRow) => (row: ObservedRow) => OpenAttempt;
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
  const storedMetrics = db
    .prepare<[string, number, number], string>('SELECT metrics FROM epochs WHERE run = ? AND attempt = ? AND epoch = ?')
    .pluck();
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

  const newestOf = (run: string): number => ofRun.get(run)?.attempt ?? 0;

  const open = (run: string, results: ObservedResults, row: ObservedRow, kind: AttemptKind): Row => {
    const { generation, inode } = results;
    const attempt = { attempt: newestOf(run) + 1, kind, generation, inode, file_attempt: row.fileAttempt };
    insert.run({ run, ...attempt });
    return attempt;
  };

  /** The attempts that this attempt of the file was read as so far, newest first; the first is opened when it is new. */
  const chainOf = (run: string, results: ObservedResults, first: ObservedRow): [Row, ...Row[]] => {
    const ofFile = ofRun
      .all(run)
      .filter(
        ({ generation, file_attempt }) => generation === results.generation && file_attempt === first.fileAttempt,
      );
    const exact = ofFile.find(({ inode }) => inode === results.inode);
    const newest = exact ?? (results.fresh ? undefined : ofFile[0]);
    if (newest === undefined) {
      const before = newestOf(run);
      const kind = before === 0 ? 'start' : kindOf(first, lastEpoch.get(run, before) ?? null);
      return [open(run, results, first, kind)];
    }
    const chain = ofFile.filter(({ inode }) => inode === newest.inode);
    if (exact === undefined) {
      for (const { attempt } of chain) moveFile.run({ run, attempt, inode: results.inode });
    }
    return [newest, ...chain.filter((row) => row !== newest)];
  };

  return {
    list: (run) => {
      const rows = summaries.all({ run });
      return rows.map((row, index) => attemptOf(row, index === rows.length - 1));
    },
    ownerOf: (run, results, first) => {
      const chain = chainOf(run, results, first);
      let last = lastEpoch.get(run, chain[0].attempt) ?? null;
      return (row) => {
        if (row.elapsedS !== null || last === null) return chain[0];
        const metrics = JSON.stringify(row.metrics);
        const known = chain.find(({ attempt }) => storedMetrics.get(run, attempt, row.epoch) === metrics);
        if (known !== undefined) return known;
        if (row.epoch <= last) chain.unshift(open(run, results, row, 'resume'));
        last = row.epoch;
        return chain[0];
      };
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
