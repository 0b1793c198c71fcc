import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { SAMPLE_TABLES } from '../sample-kinds.ts';
import { hasTable, schemaOf } from './open-reader.ts';

/** What is in a database. Amounts in bytes, moments in ms. */
export type Contents = {
  readonly path: string;
  readonly schema: number;
  /** Of the file and of the write-ahead log beside it. */
  readonly bytes: number;
  readonly logBytes: number;
  /** Within the file: given back, or used for what comes next. */
  readonly freeBytes: number;
  readonly tiers: Readonly<Record<TierName, Tier>>;
  /** How many subjects there are of each kind: gpu, host, run, … */
  readonly subjects: Readonly<Record<string, number>>;
  /** How many runs are in each state. */
  readonly runs: Readonly<Record<string, number>>;
  readonly rows: Readonly<Record<CountedTable, number>>;
};

export type TierName = 'hot' | 'raw' | '60s' | '1h';

/** `rows` of samples, or of rollups of any metric; oldest and newest null when there are none. */
export type Tier = {
  readonly rows: number;
  readonly bytes: number;
  readonly oldest: number | null;
  readonly newest: number | null;
};

export type CountedTable = 'epochs' | 'steps' | 'log_lines' | 'alerts' | 'events';

/** Reads a snapshot; tables that an older schema does not have are empty. */
export const readContents = (db: Database): Contents => db.transaction(() => read(db))();

const read = (db: Database): Contents => {
  const free = db.prepare<[], number>('SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size');
  return {
    path: db.name,
    schema: schemaOf(db),
    bytes: statSync(db.name).size,
    logBytes: statSync(`${db.name}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    freeBytes: free.pluck().get() ?? 0,
    tiers: {
      hot: together(SAMPLE_TABLES.map((table) => tierOf(db, table, HOT(table)))),
      raw: tierOf(db, 'raw_chunks', CHUNKS('raw_chunks')),
      '60s': tierOf(db, 'minute_chunks', CHUNKS('minute_chunks')),
      '1h': tierOf(db, 'hour_rollups', HOURS),
    },
    subjects: counts(
      db,
      `SELECT substr(name, 1, instr(name, ':') - 1) AS key, count(*) AS n FROM subjects GROUP BY key`,
    ),
    runs: counts(db, 'SELECT state AS key, count(*) AS n FROM runs GROUP BY state'),
    rows: {
      epochs: countOf(db, 'epochs'),
      steps: countOf(db, 'steps'),
      log_lines: countOf(db, 'log_lines'),
      alerts: countOf(db, 'alerts'),
      events: countOf(db, 'events'),
    },
  };
};

// The length of a body is known without reading it; dbstat reads every page of the table that it is asked for.
const CHUNKS = (table: string) =>
  `SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(length(body)), 0) AS bytes, min(start) AS oldest,
    max(start) AS newest FROM ${table}`;
const pagesOf = (table: string) => `(SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name = '${table}')`;
const HOT = (table: string) =>
  `SELECT count(*) AS rows, ${pagesOf(table)} AS bytes, min(at) AS oldest, max(at) AS newest FROM ${table}`;
const HOURS = `SELECT count(*) AS rows, ${pagesOf('hour_rollups')} AS bytes, min(start) AS oldest, max(start) AS newest
  FROM hour_rollups`;

const EMPTY: Tier = { rows: 0, bytes: 0, oldest: null, newest: null };

const tierOf = (db: Database, table: string, sql: string): Tier => {
  const tier = hasTable(db, table) ? db.prepare<[], Tier>(sql).get() : undefined;
  return tier === undefined || tier.rows === 0 ? EMPTY : tier;
};

const together = (tiers: readonly Tier[]): Tier =>
  tiers.reduce(
    (sum, tier) => ({
      rows: sum.rows + tier.rows,
      bytes: sum.bytes + tier.bytes,
      oldest: nearest(Math.min, sum.oldest, tier.oldest),
      newest: nearest(Math.max, sum.newest, tier.newest),
    }),
    EMPTY,
  );

const nearest = (of: (...values: number[]) => number, a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : of(a, b);

const counts = (db: Database, sql: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    db
      .prepare<[], { key: string; n: number }>(sql)
      .all()
      .map(({ key, n }) => [key, n]),
  );

const countOf = (db: Database, table: CountedTable): number =>
  hasTable(db, table) ? (db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0) : 0;
