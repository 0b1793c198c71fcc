import type { Database } from 'better-sqlite3';
import type { Store } from '../core/ports.ts';
import type { EpochRow } from '../core/run.ts';
import { keyAfter, toPage } from './pages.ts';

/** The table of epoch rows, key (run, attempt, epoch). */
export type Epochs = Pick<Store, 'listEpochs' | 'rowsOf'> & {
  /**
   * Inserts the row, or updates it when its values differ from the stored ones; `at` stays as it was first known.
   * Returns the row as stored when it was new or changed, else null.
   */
  readonly put: (run: string, row: EpochRow) => EpochRow | null;
  /** `runElapsedS` of an attempt's last row; null when there is no row or no time in it. */
  readonly lastElapsedS: (run: string, attempt: number) => number | null;
};

export const createEpochs = (db: Database): Epochs => {
  const one = db.prepare<[string, number, number], Row>(
    'SELECT * FROM epochs WHERE run = ? AND attempt = ? AND epoch = ?',
  );
  const all = db.prepare<[string], Row>('SELECT * FROM epochs WHERE run = ? ORDER BY attempt, epoch');
  const page = db.prepare<[PageParameters], Row>(`
    SELECT * FROM epochs
    WHERE run = @run AND (attempt, epoch) > (@after_attempt, @after_epoch)
      AND (@attempt IS NULL OR attempt = @attempt)
      AND (@from IS NULL OR epoch >= @from) AND (@to IS NULL OR epoch <= @to)
    ORDER BY attempt, epoch LIMIT @limit`);
  // Most rows are new: they take this one statement. By position, since binding by name costs half as much again.
  const insert = db.prepare<(string | number | null)[]>(`
    INSERT INTO epochs (run, attempt, epoch, at, at_source, elapsed_s, run_elapsed_s, metrics, non_finite)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const update = db.prepare<[Row & { run: string }]>(`
    UPDATE epochs SET at = @at, at_source = @at_source, elapsed_s = @elapsed_s, run_elapsed_s = @run_elapsed_s,
      metrics = @metrics, non_finite = @non_finite
    WHERE run = @run AND attempt = @attempt AND epoch = @epoch`);
  const lastElapsed = db
    .prepare<[string, number], number | null>(
      'SELECT run_elapsed_s FROM epochs WHERE run = ? AND attempt = ? ORDER BY epoch DESC LIMIT 1',
    )
    .pluck();

  return {
    put: (run, row) => {
      const next = columnsOf(row);
      const { attempt, epoch, elapsed_s, run_elapsed_s, metrics, non_finite } = next;
      const { changes } = insert.run(
        run,
        attempt,
        epoch,
        next.at,
        next.at_source,
        elapsed_s,
        run_elapsed_s,
        metrics,
        non_finite,
      );
      if (changes === 1) return row;
      const stored = one.get(run, attempt, epoch);
      if (stored && sameValues(stored, next)) return null;
      const { at, at_source } = stored && stored.at !== null ? stored : next;
      update.run({ run, ...next, at, at_source });
      return { ...row, at, atSource: at_source };
    },
    lastElapsedS: (run, attempt) => lastElapsed.get(run, attempt) ?? null,
    rowsOf: (run) => all.all(run).map(rowOf),
    listEpochs: (run, { limit, cursor, from, to, attempt }) => {
      const list = `epochs ${run}`;
      const [afterAttempt, afterEpoch] = keyAfter<readonly [number, number]>(list, cursor, [0, 0]);
      const rows = page.all({
        run,
        after_attempt: afterAttempt,
        after_epoch: afterEpoch,
        attempt: attempt ?? null,
        from: from ?? null,
        to: to ?? null,
        limit: limit + 1,
      });
      return toPage(list, rows, limit, { keyOf: (row) => [row.attempt, row.epoch], itemOf: rowOf });
    },
  };
};

type Row = {
  attempt: number;
  epoch: number;
  at: number | null;
  at_source: EpochRow['atSource'];
  elapsed_s: number | null;
  run_elapsed_s: number | null;
  metrics: string;
  non_finite: string | null;
};

type PageParameters = {
  run: string;
  after_attempt: number;
  after_epoch: number;
  attempt: number | null;
  from: number | null;
  to: number | null;
  limit: number;
};

const columnsOf = (row: EpochRow): Row => ({
  attempt: row.attempt,
  epoch: row.epoch,
  at: row.at,
  at_source: row.atSource,
  elapsed_s: row.elapsedS,
  run_elapsed_s: row.runElapsedS,
  metrics: JSON.stringify(row.metrics),
  non_finite: row.nonFinite === undefined ? null : JSON.stringify(row.nonFinite),
});

const sameValues = (a: Row, b: Row): boolean =>
  a.metrics === b.metrics &&
  a.non_finite === b.non_finite &&
  a.elapsed_s === b.elapsed_s &&
  a.run_elapsed_s === b.run_elapsed_s;

const rowOf = (row: Row): EpochRow => ({
  attempt: row.attempt,
  epoch: row.epoch,
  at: row.at,
  atSource: row.at_source,
  elapsedS: row.elapsed_s,
  runElapsedS: row.run_elapsed_s,
  metrics: JSON.parse(row.metrics),
  ...(row.non_finite === null ? {} : { nonFinite: JSON.parse(row.non_finite) }),
});
