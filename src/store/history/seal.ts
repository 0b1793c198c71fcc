import type { Database } from 'better-sqlite3';
import { encodeChunk } from '../chunks/chunk.ts';
import type { Columns, StoredChunk } from '../chunks/columns.ts';
import { SAMPLE_KINDS, type SampleTableName } from '../sample-kinds.ts';
import { createChunkTables } from './chunk-tables.ts';
import { createGrowth, type Growth } from './growth.ts';
import { createReadHot } from './hot-rows.ts';
import { type Catalogue, createHour } from './hour.ts';
import { columnsOfMinutes } from './minutes.ts';
import { rowsBetween, unionByMoment } from './moments.ts';
import { COUNTER_GAP_MS, HOUR_MS, type HourRollup } from './rollup.ts';
import { readChunk, readChunkIfWhole } from './sealed-samples.ts';

/** An hour of a subject that is to be sealed; `start` is where it begins, ms. */
export type SealInput = { readonly subject: number; readonly table: SampleTableName; readonly start: number };

/** The hour, ready to be stored: all its samples, those that were sealed before included. */
export type Sealed = {
  readonly rows: number;
  readonly raw: StoredChunk;
  readonly rollups: HourRollups;
  /** Those of the hour after it, if that is sealed: what its counters grew by begins with the last samples of this one. */
  readonly following: HourRollups | null;
};

/** The rollups of one hour, ready to be stored. */
export type HourRollups = {
  readonly minuteRows: number;
  readonly minutes: StoredChunk;
  readonly hours: readonly HourRollup[];
};

/** Over one connection, which may be read-only. */
export type SealHour = (input: SealInput) => Sealed | null;

/**
 * Reads and encodes an hour; changes nothing. null: there is nothing that is not sealed already, or the samples that were
 * sealed are not kept any more, so that these came too late. Throws DamagedChunk when those of the hour are damaged; a
 * damaged hour beside it is done without.
 */
export const createSealHour = (db: Database): SealHour => {
  const tables = createChunkTables(db);
  const hot = createReadHot(db);
  return ({ subject, table, start }) => {
    const catalogue: Catalogue = SAMPLE_KINDS[table];
    const metrics = Object.keys(catalogue);
    const found = hot({ id: subject, table }, metrics, start, start + HOUR_MS);
    const before = tables.raw.get(subject, start);
    if (before === undefined && tables.minutes.starts(subject, start, start + 1).length > 0) return null;
    const known = before && readChunk(before, metrics);
    const samples = known ? unionByMoment(known, found) : found;
    if (samples.at.length === (known?.at.length ?? 0)) return null;

    const chunkOf = (hour: number) => readChunkIfWhole(tables.raw.get(subject, hour), metrics) ?? NO_SAMPLES;
    const previous = unionByMoment(
      chunkOf(start - HOUR_MS),
      hot({ id: subject, table }, metrics, start - COUNTER_GAP_MS, start),
    );
    const next = chunkOf(start + HOUR_MS);
    return {
      rows: samples.at.length,
      raw: encodeChunk(samples),
      rollups: rollUp({ samples, before: previous, catalogue, start }),
      following:
        next.at.length === 0 ? null : rollUp({ samples: next, before: samples, catalogue, start: start + HOUR_MS }),
    };
  };
};

const NO_SAMPLES: Columns = { at: new Float64Array(0), columns: new Map() };

type RollUp = {
  readonly samples: Columns;
  /** Samples from before the hour, which counters of its first ones grew from. */
  readonly before: Columns;
  readonly catalogue: Catalogue;
  readonly start: number;
};

const rollUp = ({ samples, before, catalogue, start }: RollUp): HourRollups => {
  const hour = createHour(start, catalogue);
  const metrics = Object.keys(catalogue);
  const columns = metrics.map((name) => samples.columns.get(name));
  const growth = growthAfter(rowsBetween(before, start - COUNTER_GAP_MS, start), catalogue);
  for (const [i, at] of samples.at.entries()) hour.add(at, (_name, place) => columns[place]?.[i], growth);
  const minutes = columnsOfMinutes(metrics.map((name) => [name, hour.minutes(name)] as const));
  return {
    minuteRows: minutes.at.length,
    minutes: encodeChunk(minutes),
    hours: metrics.flatMap((name) => hour.whole(name) ?? []),
  };
};

const growthAfter = (before: Columns, catalogue: Catalogue): Growth => {
  const growth = createGrowth();
  for (const [name, values] of before.columns) {
    if (!catalogue[name]?.counter) continue;
    for (const [i, value] of values.entries()) {
      if (!Number.isNaN(value)) growth.next(name, before.at[i] ?? Number.NaN, value);
    }
  }
  return growth;
};
