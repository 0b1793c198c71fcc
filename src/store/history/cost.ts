import type { Database } from 'better-sqlite3';
import { SAMPLE_TABLES } from '../sample-kinds.ts';
import type { StoredSubject } from './hot-rows.ts';
import type { Piece } from './plan.ts';
import { HOUR_MS } from './rollup.ts';

/** What reading costs on a core of 2020 that others use too, µs. What was read shortly before costs a tenth. */
const COST = {
  /** A rollup of an hour, of one metric. */
  hour: 2.5,
  /** The minutes of an hour, of one metric. */
  minutes: 400,
  /** A value of a sealed sample; its moment is one too. */
  value: 0.06,
  /** A row of the hot table that is passed over; that of another subject as well. */
  hotRow: 0.4,
} as const;
/** What is answered at once may hold up the loop for so long. */
const CHEAP_US = 4000;
/** Hot rows are counted so far. */
const MAX_COUNTED = 10_000;

/** Whether the pieces can be read so quickly that no other thread is worth it. */
export type IsCheap = (subject: StoredSubject, metrics: readonly string[], pieces: readonly Piece[]) => boolean;

export const createIsCheap = (db: Database): IsCheap => {
  const sealedRows = db
    .prepare<[number, number, number], number>(
      'SELECT total(rows) FROM raw_chunks WHERE subject = ? AND start > ? AND start < ?',
    )
    .pluck();
  const countHot = new Map(
    SAMPLE_TABLES.map((table) => [
      table,
      db
        .prepare<[number, number], number>(
          `SELECT count(*) FROM (SELECT 1 FROM ${table} WHERE at >= ? AND at < ? LIMIT ${MAX_COUNTED})`,
        )
        .pluck(),
    ]),
  );

  const costOf = (subject: StoredSubject, metrics: readonly string[], piece: Piece): number => {
    const hours = Math.ceil((piece.to - piece.from) / HOUR_MS) + 1;
    if (piece.tier === 'hours') return COST.hour * hours * metrics.length;
    if (piece.tier === 'minutes') return COST.minutes * hours * metrics.length;
    const rows = sealedRows.get(subject.id, piece.from - HOUR_MS, piece.to) ?? 0;
    const hotRows = countHot.get(subject.table)?.get(piece.from, piece.to) ?? 0;
    return COST.value * rows * (1 + metrics.length) + COST.hotRow * hotRows;
  };

  return (subject, metrics, pieces) => {
    let cost = 0;
    for (const piece of pieces) {
      cost += costOf(subject, metrics, piece);
      if (cost > CHEAP_US) return false;
    }
    return true;
  };
};
