import type { Database } from 'better-sqlite3';
import type { Range } from '../../core/ports.ts';
import type { Values } from '../../core/sample.ts';
import { HOUR_MS } from '../history/rollup.ts';
import { SAMPLE_KINDS, tableOfSubject } from '../sample-kinds.ts';
import { StoreError } from '../store-error.ts';
import { hasTable } from './open-reader.ts';
import { chunkRows } from './stored-chunks.ts';

/** What is exported: the samples of these subjects, one after the other, each from the oldest on. */
export type Selection = {
  readonly subjects: readonly string[];
  /** Of all subjects, without doubles. */
  readonly metrics: readonly string[];
  readonly samples: () => Iterable<ExportedSample>;
};
export type ExportedSample = { readonly subject: string; readonly at: number; readonly values: Values };

/**
 * What a word stands for: a subject (gpu:0, gpu:UUID, host:NAME, run:ID, collector:NAME, import:RUN:0), or the id of a
 * run: then what its processes used and, between its start and its end, its GPUs. Throws {@link StoreError} when there
 * is no such thing.
 */
export const select = (db: Database, word: string, range: Range): Selection => {
  const names = subjectsOf(db, word);
  const stored = names.flatMap(({ name, within }) => {
    const id = db.prepare<[string], number>('SELECT id FROM subjects WHERE name = ?').pluck().get(name);
    const from = Math.max(range.from, within.from);
    return id === undefined ? [] : [{ id, name, from, to: Math.min(range.to, within.to) }];
  });
  if (stored.length === 0)
    throw new StoreError(`"${word}" is no subject with samples, and no run; see signalbox db info`);
  return {
    subjects: stored.map(({ name }) => name),
    metrics: [...new Set(stored.flatMap(({ name }) => metricsOf(name)))],
    samples: function* () {
      for (const subject of stored) yield* samplesOf(db, subject);
    },
  };
};

type Named = { readonly name: string; readonly within: Range };
const ALWAYS: Range = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

const subjectsOf = (db: Database, word: string): readonly Named[] => {
  const position = /^gpu:(\d+)$/.exec(word)?.[1];
  if (position !== undefined) {
    const uuid = db
      .prepare<[number], string>('SELECT uuid FROM gpus WHERE position = ? ORDER BY mig IS NOT NULL')
      .pluck();
    return [{ name: `gpu:${uuid.get(Number(position)) ?? ''}`, within: ALWAYS }];
  }
  const run = db.prepare<[string], { derived: string | null }>('SELECT derived FROM runs WHERE id = ?').get(word);
  if (run === undefined) return [{ name: word, within: ALWAYS }];
  const gpus = hasTable(db, 'run_gpus')
    ? db.prepare<[string], string>('SELECT subject FROM run_gpus WHERE run = ? ORDER BY subject').pluck().all(word)
    : [];
  const within = lifeOf(run.derived);
  // A log that was imported for the run is all its own.
  return [
    { name: `run:${word}`, within: ALWAYS },
    ...gpus.map((name) => ({ name, within: name.startsWith('import:') ? ALWAYS : within })),
  ];
};

/** `derived` is the run as it was last saved; one that goes on has no end. */
const lifeOf = (derived: string | null): Range => {
  const run: unknown = derived === null ? null : JSON.parse(derived);
  const moment = (key: 'startedAt' | 'endedAt'): number | null => {
    const value: unknown = typeof run === 'object' && run !== null ? Reflect.get(run, key) : null;
    return typeof value === 'number' ? value : null;
  };
  return { from: moment('startedAt') ?? ALWAYS.from, to: moment('endedAt') ?? ALWAYS.to };
};

const metricsOf = (subject: string): readonly string[] => Object.keys(SAMPLE_KINDS[tableOfSubject(subject)]);

type Stored = { readonly id: number; readonly name: string } & Range;

/** Sealed and hot samples, joined by their moments, an hour at a time. */
const samplesOf = function* (db: Database, { id, name, from, to }: Stored): Generator<ExportedSample> {
  const [table, metrics] = [tableOfSubject(name), metricsOf(name)];
  const starts = hoursOf(db, id, table).filter((start) => start + HOUR_MS > from && start < to);
  for (const start of starts) {
    const byMoment = new Map<number, Values>([...hotOf(db, { id, table, start }), ...sealedOf(db, id, start, metrics)]);
    for (const [at, values] of [...byMoment].sort(([a], [b]) => a - b)) {
      if (at >= from && at < to) yield { subject: name, at, values };
    }
  }
};

const hoursOf = (db: Database, subject: number, table: string): readonly number[] => {
  const sealed = hasTable(db, 'raw_chunks')
    ? db.prepare<[number], number>('SELECT start FROM raw_chunks WHERE subject = ?').pluck().all(subject)
    : [];
  // Bound numbers are REAL, and a REAL division would keep the fraction.
  const hot = hasTable(db, table)
    ? db
        .prepare<[{ subject: number; hour: number }], number>(
          `SELECT DISTINCT at / CAST(@hour AS INTEGER) * CAST(@hour AS INTEGER) FROM ${table} WHERE subject = @subject`,
        )
        .pluck()
        .all({ subject, hour: HOUR_MS })
    : [];
  return [...new Set([...sealed, ...hot])].sort((a, b) => a - b);
};

const hotOf = (
  db: Database,
  hour: { id: number; table: string; start: number },
): readonly (readonly [number, Values])[] => {
  if (!hasTable(db, hour.table)) return [];
  return db
    .prepare<[number, number, number], { at: number; subject: number } & Record<string, number | null>>(
      `SELECT * FROM ${hour.table} WHERE at >= ? AND at < ? AND subject = ?`,
    )
    .all(hour.start, hour.start + HOUR_MS, hour.id)
    .map(({ at, subject: _, ...values }) => [at, values] as const);
};

const sealedOf = function* (
  db: Database,
  subject: number,
  start: number,
  metrics: readonly string[],
): Generator<readonly [number, Values]> {
  if (!hasTable(db, 'raw_chunks')) return;
  for (const { open } of chunkRows(db, 'raw_chunks', 'c.subject = ? AND c.start = ?', [subject, start])) {
    const chunk = open();
    const columns = metrics.map((metric) => [metric, chunk.column(metric)] as const);
    for (const [row, at] of chunk.at().entries()) {
      const known = columns.map(([metric, values]) => [metric, valueAt(values, row)] as const);
      yield [at, Object.fromEntries(known)];
    }
  }
};

const valueAt = (values: Float64Array | null, row: number): number | null => {
  const value = values?.[row] ?? Number.NaN;
  return Number.isNaN(value) ? null : value;
};
