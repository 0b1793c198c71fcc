import type { Database } from 'better-sqlite3';
import type { Values } from '../../core/sample.ts';
import type { StoredChunk } from '../chunks/columns.ts';
import { createChunkTables } from './chunk-tables.ts';
import { placeFrom } from './moments.ts';
import { hourOf } from './recent.ts';
import { HOUR_MS } from './rollup.ts';
import { readChunkIfWhole } from './sealed-samples.ts';

/** Single samples of sealed hours, by subject number; for whoever appends, or wants the newest ones. */
export type HeldHours = {
  /** Whether a sample of this moment is sealed, or its hour is and its samples are not kept any more: it comes too late. */
  readonly holds: (subject: number, at: number) => boolean;
  /** No sample of the subject that is sealed is of this moment or later. */
  readonly until: (subject: number) => number;
  readonly row: (subject: number, at: number, metrics: readonly string[]) => Row | undefined;
  /** From `from` on, rising. */
  readonly since: (subject: number, from: number, metrics: readonly string[]) => readonly Row[];
  /** The hour was sealed, or deleted. */
  readonly forget: (subject: number, start: number) => void;
};

type Row = { readonly at: number; readonly values: Values };

/** The moments of an hour; `none`: it is not sealed; `gone`: its samples are not kept any more, or are damaged. */
type Held = Float64Array | 'none' | 'gone';

/** Remembers the hour of each subject that was asked for last: samples come in order. */
export const createHeldHours = (db: Database): HeldHours => {
  const { raw, minutes } = createChunkTables(db);
  const last = new Map<number, { start: number; held: Held }>();

  const look = (subject: number, start: number): Held => {
    const stored = raw.get(subject, start);
    if (stored !== undefined) return readChunkIfWhole(stored, [])?.at ?? 'gone';
    return minutes.starts(subject, start, start + 1).length > 0 ? 'gone' : 'none';
  };
  const heldAt = (subject: number, at: number): Held => {
    const start = hourOf(at);
    const known = last.get(subject);
    if (known?.start === start) return known.held;
    const held = look(subject, start);
    last.set(subject, { start, held });
    return held;
  };

  return {
    holds: (subject, at) => {
      const held = heldAt(subject, at);
      return held === 'gone' || (held !== 'none' && held[placeFrom(held, at)] === at);
    },
    until: (subject) => {
      const newest = Math.max(
        raw.newest(subject) ?? Number.NEGATIVE_INFINITY,
        minutes.newest(subject) ?? Number.NEGATIVE_INFINITY,
      );
      return newest + HOUR_MS;
    },
    row: (subject, at, metrics) => rowsOf(raw.get(subject, hourOf(at)), metrics).find((row) => row.at === at),
    since: (subject, from, metrics) =>
      raw.starts(subject, hourOf(from), Number.MAX_SAFE_INTEGER).flatMap((start) => {
        const rows = rowsOf(raw.get(subject, start), metrics);
        return start < from ? rows.filter(({ at }) => at >= from) : rows;
      }),
    forget: (subject, start) => {
      if (last.get(subject)?.start === start) last.delete(subject);
    },
  };
};

/** None of a damaged chunk: what reads samples by themselves goes on with the others. */
const rowsOf = (stored: StoredChunk | undefined, metrics: readonly string[]): readonly Row[] => {
  const samples = readChunkIfWhole(stored, metrics);
  if (samples === null) return [];
  const columns = metrics.map((name) => [name, samples.columns.get(name)] as const);
  return Array.from(samples.at, (at, i) => ({
    at,
    values: Object.fromEntries(columns.map(([name, values]) => [name, known(values?.[i])])),
  }));
};

const known = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value);
