import type { Database } from 'better-sqlite3';
import type { StoredChunk } from '../chunks/columns.ts';
import type { HourRollup, RollupColumns } from './rollup.ts';

/** The chunks of one tier: one for each subject and hour; `start` is where the hour begins, ms. */
export type ChunkTable = {
  readonly get: (subject: number, start: number) => StoredChunk | undefined;
  /** The hours that begin in [from, to), rising. */
  readonly starts: (subject: number, from: number, to: number) => readonly number[];
  /** Where the last hour of a subject begins; null: it has none. */
  readonly newest: (subject: number) => number | null;
  /** Takes the place of the one that is there. */
  readonly put: (subject: number, start: number, chunk: PutChunk) => void;
};

/** `sealedAt` is what ages; `rows` are samples, or minutes. */
export type PutChunk = StoredChunk & { readonly rows: number; readonly sealedAt: number };

/** What is sealed. */
export type ChunkTables = {
  readonly raw: ChunkTable;
  readonly minutes: ChunkTable;
  readonly hours: {
    readonly put: (subject: number, start: number, rollups: readonly HourRollup[]) => void;
    /** Those of one metric that begin in [from, to). */
    readonly columns: (subject: number, metric: string, from: number, to: number) => RollupColumns;
  };
};

/** Over one connection, which may be read-only as long as nothing is put. */
export const createChunkTables = (db: Database): ChunkTables => ({
  raw: createChunkTable(db, 'raw_chunks'),
  minutes: createChunkTable(db, 'minute_chunks'),
  hours: createHourTable(db),
});

const createChunkTable = (db: Database, table: 'raw_chunks' | 'minute_chunks'): ChunkTable => {
  const get = db.prepare<[number, number], { names: string; body: Buffer }>(`
    SELECT layouts.names, body FROM ${table} JOIN layouts ON layouts.id = layout WHERE subject = ? AND start = ?`);
  const starts = db
    .prepare<[number, number, number], number>(
      `SELECT start FROM ${table} WHERE subject = ? AND start >= ? AND start < ? ORDER BY start`,
    )
    .pluck();
  const newest = db.prepare<[number], number | null>(`SELECT max(start) FROM ${table} WHERE subject = ?`).pluck();
  const addLayout = db.prepare<[string]>('INSERT OR IGNORE INTO layouts (names) VALUES (?)');
  const put = db.prepare<
    [{ subject: number; start: number; sealedAt: number; rows: number; names: string; body: Uint8Array }]
  >(`
    INSERT INTO ${table} (subject, start, sealed_at, rows, layout, body)
    VALUES (@subject, @start, @sealedAt, @rows, (SELECT id FROM layouts WHERE names = @names), @body)
    ON CONFLICT (subject, start) DO UPDATE SET
      sealed_at = excluded.sealed_at, rows = excluded.rows, layout = excluded.layout, body = excluded.body`);
  /** A layout is used by thousands of chunks: it is read from JSON once. */
  const layouts = new Map<string, readonly string[]>();
  const namesOf = (json: string): readonly string[] => {
    // Written by `put` below.
    const names = layouts.get(json) ?? (JSON.parse(json) as string[]);
    layouts.set(json, names);
    return names;
  };

  return {
    get: (subject, start) => {
      const row = get.get(subject, start);
      return row && { names: namesOf(row.names), body: row.body };
    },
    starts: (subject, from, to) => starts.all(subject, from, to),
    newest: (subject) => newest.get(subject) ?? null,
    put: (subject, start, { names, body, rows, sealedAt }) => {
      const json = JSON.stringify(names);
      addLayout.run(json);
      put.run({ subject, start, sealedAt, rows, names: json, body });
    },
  };
};

type HourRow = Omit<HourRollup, 'metric' | 'bins'> & { readonly start: number; readonly bins: string | null };

const createHourTable = (db: Database): ChunkTables['hours'] => {
  const put = db.prepare<[Omit<HourRow, 'start'> & { subject: number; start: number; metric: string }]>(`
    INSERT OR REPLACE INTO hour_rollups (subject, metric, start, count, sum, min, max, last, increase, p5, p50, p95, bins)
    VALUES (@subject, @metric, @start, @count, @sum, @min, @max, @last, @increase, @p5, @p50, @p95, @bins)`);
  const columns = db.prepare<[number, string, number, number], HourRow>(`
    SELECT start, count, sum, min, max, last, increase, p5, p50, p95, bins FROM hour_rollups
    WHERE subject = ? AND metric = ? AND start >= ? AND start < ? ORDER BY start`);

  return {
    put: (subject, start, rollups) => {
      for (const rollup of rollups) {
        put.run({ subject, start, ...rollup, bins: rollup.bins && JSON.stringify(rollup.bins) });
      }
    },
    columns: (subject, metric, from, to) => columnsOf(columns.all(subject, metric, from, to)),
  };
};

const columnsOf = (rows: readonly HourRow[]): RollupColumns => {
  const column = (name: Exclude<keyof HourRow, 'bins'>) => Float64Array.from(rows, (row) => row[name] ?? Number.NaN);
  // Of one metric either all rows have them or none has.
  const has = (name: keyof HourRow) => rows.some((row) => row[name] !== null);
  const binColumns = (): readonly Float64Array[] => {
    // Written by `put` above.
    const counts = rows.map(({ bins }) => (bins === null ? [] : (JSON.parse(bins) as number[])));
    return (counts[0] ?? []).map((_, bin) => Float64Array.from(counts, (row) => row[bin] ?? 0));
  };
  return {
    start: column('start'),
    count: column('count'),
    sum: column('sum'),
    min: column('min'),
    max: column('max'),
    last: column('last'),
    increase: has('increase') ? column('increase') : null,
    percentiles: has('p50') ? { p5: column('p5'), p50: column('p50'), p95: column('p95') } : null,
    // Seldom asked for, and most of the work.
    get bins() {
      return has('bins') ? binColumns() : null;
    },
  };
};
