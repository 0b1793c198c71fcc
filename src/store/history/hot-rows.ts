import type { Database } from 'better-sqlite3';
import type { Columns } from '../chunks/columns.ts';
import { SAMPLE_TABLES, type SampleTableName } from '../sample-kinds.ts';

/** Reads the written samples of a subject that are not sealed. */
export type ReadHot = (
  subject: StoredSubject,
  metrics: readonly string[],
  /** Moments, ms; `to` is exclusive. */
  from: number,
  to: number,
) => Columns;

/** A subject of which something is written: its number, and the table of its kind. */
export type StoredSubject = { readonly id: number; readonly table: SampleTableName };

/** Over one connection, which may be read-only. `metrics` must be columns of the table: they become a part of the query. */
export const createReadHot = (db: Database): ReadHot => {
  // Most questions are about hours that are sealed: what is not there is told without a query of its own.
  const isAny = new Map(
    SAMPLE_TABLES.map((table) => [
      table,
      db.prepare<[number, number], number>(`SELECT 1 FROM ${table} WHERE at >= ? AND at < ? LIMIT 1`).pluck(),
    ]),
  );
  return ({ id, table }, metrics, from, to) => {
    const rows =
      isAny.get(table)?.get(from, to) === undefined
        ? []
        : db
            .prepare<[number, number, number], (number | null)[]>(
              `SELECT ${['at', ...metrics].join(', ')} FROM ${table} WHERE subject = ? AND at >= ? AND at < ? ORDER BY at`,
            )
            .raw()
            .all(id, from, to);
    const column = (place: number): Float64Array => {
      const values = new Float64Array(rows.length);
      for (let row = 0; row < rows.length; row++) values[row] = rows[row]?.[place] ?? Number.NaN;
      return values;
    };
    return { at: column(0), columns: new Map(metrics.map((metric, i) => [metric, column(i + 1)])) };
  };
};
