import type { Database } from 'better-sqlite3';
import type { HistoryQuery } from '../core/ports.ts';
import type { Values } from '../core/sample.ts';

/** One wide table of samples: a row per moment and subject, a column per metric of its catalogue. */
export type SampleTable = {
  readonly metrics: readonly string[];
  readonly insert: (subject: number, at: number, values: Values) => void;
  readonly get: (subject: number, at: number) => TableRow | undefined;
  /** From `from` on, oldest first. */
  readonly since: (subject: number, from: number) => readonly TableRow[];
  /** Aggregates by bucket, only of buckets that hold rows: [bucket number, then count, sum, min, max of each metric]. */
  readonly aggregate: (subject: number, query: HistoryQuery) => Iterable<readonly (number | null)[]>;
  /** Deletes at most `limit` of the oldest rows from before `cutoff`; returns how many. */
  readonly prune: (cutoff: number, limit: number) => number;
};

export type TableRow = { readonly at: number; readonly values: Values };

/** `metrics`: the names of all columns but the key. */
export const createSampleTable = (
  db: Database,
  table: 'gpu_samples' | 'host_samples' | 'run_samples' | 'collector_samples',
  metrics: readonly string[],
): SampleTable => {
  const columns = metrics.join(', ');
  const insert = db.prepare<(number | null)[]>(
    `INSERT OR IGNORE INTO ${table} (at, subject, ${columns}) VALUES (?, ?${', ?'.repeat(metrics.length)})`,
  );
  const get = db.prepare<[number, number], Row>(`SELECT at, ${columns} FROM ${table} WHERE subject = ? AND at = ?`);
  const since = db.prepare<[number, number], Row>(
    `SELECT at, ${columns} FROM ${table} WHERE subject = ? AND at >= ? ORDER BY at`,
  );
  const prune = db.prepare<[number, number]>(`
    DELETE FROM ${table}
    WHERE (at, subject) IN (SELECT at, subject FROM ${table} WHERE at < ? ORDER BY at, subject LIMIT ?)`);

  return {
    metrics,
    insert: (subject, at, values) => {
      insert.run(at, subject, ...metrics.map((name) => values[name] ?? null));
    },
    get: (subject, at) => {
      const row = get.get(subject, at);
      return row && rowOf(row);
    },
    since: (subject, from) => since.all(subject, from).map(rowOf),
    aggregate: (subject, query) => {
      const aggregates = query.metrics.map((name) => `count(${name}), total(${name}), min(${name}), max(${name})`);
      // Numbers are bound as REAL, and a REAL division would make a bucket of every row.
      return db
        .prepare<[Pick<HistoryQuery, 'from' | 'to' | 'stepMs'> & { subject: number }], (number | null)[]>(`
          SELECT ${['at / CAST(@stepMs AS INTEGER) AS bucket', ...aggregates].join(', ')} FROM ${table}
          WHERE subject = @subject AND at >= @from AND at < @to GROUP BY bucket`)
        .raw()
        .iterate({ subject, from: query.from, to: query.to, stepMs: query.stepMs });
    },
    prune: (cutoff, limit) => prune.run(cutoff, limit).changes,
  };
};

type Row = { at: number } & Record<string, number | null>;

const rowOf = ({ at, ...values }: Row): TableRow => ({ at, values });
