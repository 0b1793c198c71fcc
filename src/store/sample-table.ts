import type { Database } from 'better-sqlite3';
import type { Values } from '../core/sample.ts';
import type { SampleTableName } from './sample-kinds.ts';

/** One wide table of samples: a row per moment and subject, a column per metric of its catalogue. */
export type SampleTable = {
  readonly metrics: readonly string[];
  readonly insert: (subject: number, at: number, values: Values) => void;
  readonly get: (subject: number, at: number) => TableRow | undefined;
  /** From `from` on, oldest first. */
  readonly since: (subject: number, from: number) => readonly TableRow[];
  /** When the oldest and the newest row were taken; null: there is none. */
  readonly range: () => { readonly from: number; readonly to: number } | null;
  /** The first row from `from` on and before `to`, of whichever subject. */
  readonly first: (from: number, to: number) => { readonly subject: number; readonly at: number } | undefined;
  /** The numbers of the subjects with rows in [from, to); reads them all. */
  readonly subjects: (from: number, to: number) => readonly number[];
  /** The rows of all subjects from `from` on, in the order of their moments: [subject, at, then each metric]. */
  readonly all: (from: number) => Iterable<readonly (number | null)[]>;
  /** The moments of a subject in [from, to), rising, at most `limit`. */
  readonly moments: (subject: number, range: { from: number; to: number; limit: number }) => readonly number[];
  readonly delete: (subject: number, at: number) => void;
};

export type TableRow = { readonly at: number; readonly values: Values };

/** `metrics`: the names of all columns but the key. */
export const createSampleTable = (db: Database, table: SampleTableName, metrics: readonly string[]): SampleTable => {
  const columns = metrics.join(', ');
  const insert = db.prepare<(number | null)[]>(
    `INSERT OR IGNORE INTO ${table} (at, subject, ${columns}) VALUES (?, ?${', ?'.repeat(metrics.length)})`,
  );
  const get = db.prepare<[number, number], Row>(`SELECT at, ${columns} FROM ${table} WHERE subject = ? AND at = ?`);
  const since = db.prepare<[number, number], Row>(
    `SELECT at, ${columns} FROM ${table} WHERE subject = ? AND at >= ? ORDER BY at`,
  );
  const range = db
    .prepare<[], [number | null, number | null]>(
      `SELECT (SELECT min(at) FROM ${table}), (SELECT max(at) FROM ${table})`,
    )
    .raw();
  const first = db.prepare<[number, number], { subject: number; at: number }>(
    `SELECT subject, at FROM ${table} WHERE at >= ? AND at < ? ORDER BY at, subject LIMIT 1`,
  );
  const subjects = db
    .prepare<[number, number], number>(
      `SELECT DISTINCT subject FROM ${table} WHERE at >= ? AND at < ? ORDER BY subject`,
    )
    .pluck();
  const all = db
    .prepare<[number], (number | null)[]>(
      `SELECT subject, at, ${columns} FROM ${table} WHERE at >= ? ORDER BY at, subject`,
    )
    .raw();
  const moments = db
    .prepare<[number, number, number, number], number>(
      `SELECT at FROM ${table} WHERE subject = ? AND at >= ? AND at < ? ORDER BY at LIMIT ?`,
    )
    .pluck();
  const remove = db.prepare<[number, number]>(`DELETE FROM ${table} WHERE at = ? AND subject = ?`);

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
    range: () => {
      const [from, to] = range.get() ?? [];
      return from == null || to == null ? null : { from, to };
    },
    first: (from, to) => first.get(from, to),
    subjects: (from, to) => subjects.all(from, to),
    all: (from) => all.iterate(from),
    moments: (subject, { from, to, limit }) => moments.all(subject, from, to, limit),
    delete: (subject, at) => {
      remove.run(at, subject);
    },
  };
};

type Row = { at: number } & Record<string, number | null>;

const rowOf = ({ at, ...values }: Row): TableRow => ({ at, values });
