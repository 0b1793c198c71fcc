import type { Database } from 'better-sqlite3';
import { type Chunk, openChunk } from '../chunks/chunk.ts';
import type { Columns } from '../chunks/columns.ts';
import { createChunkTables } from './chunk-tables.ts';
import { createColumnCache } from './column-cache.ts';
import { minuteColumns } from './minutes.ts';
import type { RollupColumns } from './rollup.ts';

/** What is sealed, tier by tier, decoded. `start` is that of an hour. Columns are shared: nobody may write to them. */
export type SealedTiers = {
  /** How often an hour was sealed so far. */
  readonly sealings: number;
  /** The hours that begin in [from, to) whose samples are kept; rising. */
  readonly sampleHours: (subject: number, from: number, to: number) => readonly number[];
  readonly minuteHours: (subject: number, from: number, to: number) => readonly number[];
  /** The samples of such an hour; a metric without values has no column. */
  readonly samples: (subject: number, start: number, metrics: readonly string[]) => Columns;
  readonly minutes: (subject: number, start: number, metric: string) => RollupColumns;
  /** The hours that begin in [from, to). */
  readonly hours: (subject: number, metric: string, from: number, to: number) => RollupColumns;
};

/** Charts ask for the same again and again: for a day of 8 GPUs by the minute, two or three metrics of each. */
const MAX_ROLLUP_BYTES = 8 * 2 ** 20;
/** Two days of one metric at 1 Hz. */
const MAX_SAMPLE_BYTES = 3 * 2 ** 20;

/**
 * Over one connection, which may be read-only. Answers what is sealed now, to be used before anything else is written.
 * What was decoded is kept for a while, until the next sealing.
 */
export const createSealedTiers = (db: Database): (() => SealedTiers) => {
  const tables = createChunkTables(db);
  const readSealings = db.prepare<[], number>("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'sealings'").pluck();
  const columns = createColumnCache<Float64Array | null>(MAX_SAMPLE_BYTES, (values) => values?.byteLength ?? 0);
  const rollups = createColumnCache<RollupColumns>(MAX_ROLLUP_BYTES, bytesOf);

  /** Opens the chunk when it is first needed. */
  const opener = (table: 'raw' | 'minutes', subject: number, start: number): (() => Chunk) => {
    let chunk: Chunk | null = null;
    return () => {
      if (chunk !== null) return chunk;
      const stored = tables[table].get(subject, start);
      if (stored === undefined)
        throw new Error(`${table}: expected a chunk of subject ${subject} at ${start}, found none`);
      chunk = openChunk(stored);
      return chunk;
    };
  };

  return () => {
    const sealings = readSealings.get() ?? 0;
    return {
      sealings,
      sampleHours: tables.raw.starts,
      minuteHours: tables.minutes.starts,
      samples: (subject, start, metrics) => {
        const open = opener('raw', subject, start);
        const at = columns.get(sealings, `${subject} ${start}`, () => open().at()) ?? new Float64Array(0);
        const known = metrics.flatMap((metric): [string, Float64Array][] => {
          const values = columns.get(sealings, `${subject} ${start} ${metric}`, () => open().column(metric));
          return values === null ? [] : [[metric, values]];
        });
        return { at, columns: new Map(known) };
      },
      minutes: (subject, start, metric) => {
        const open = opener('minutes', subject, start);
        return rollups.get(sealings, `${subject} ${start} ${metric}`, () => minuteColumns(open(), metric));
      },
      hours: (subject, metric, from, to) =>
        rollups.get(sealings, `${subject} ${from} ${to} ${metric}`, () =>
          tables.hours.columns(subject, metric, from, to),
        ),
    };
  };
};

/** Some 30 columns with the bins, which are read later from the chunk that it holds on to until then. */
const bytesOf = ({ start }: RollupColumns): number => 30 * start.byteLength;
