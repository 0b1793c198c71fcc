import type { Database } from 'better-sqlite3';
import { SAMPLE_TABLES, type SampleTableName } from '../sample-kinds.ts';
import type { Samples } from '../samples.ts';
import type { Worker } from '../worker/worker.ts';
import { createChunkTables } from './chunk-tables.ts';
import { createHeldHours } from './held-hours.ts';
import { hourOf, type SubjectHour } from './recent.ts';
import { HOUR_MS } from './rollup.ts';
import type { HourRollups, Sealed } from './seal.ts';

/** Seals hours that are over, one after the other, and deletes the hot rows that were sealed. */
export type Sealing = {
  /** One small step; true when there is more to do soon. Throws what went wrong since the step before: that hour waits a while. */
  readonly step: (now: number) => boolean;
  /** Resolves once the hour that is being sealed is sealed, or given up. */
  readonly settled: () => Promise<void>;
};

/** An hour stays hot for so long after its end: samples may come late. */
const REST_MS = 300_000;
/** An hour that could not be sealed is tried again after this long. */
const RETRY_MS = 600_000;
/** Deleted in one step; some milliseconds. */
const ROWS_A_STEP = 250;

type Dependencies = {
  readonly db: Database;
  readonly samples: Samples;
  readonly worker: Worker;
  readonly transaction: <T>(work: () => T) => T;
  /** Writes what lies in memory. */
  readonly flush: () => void;
};

type Hour = SubjectHour & { readonly id: number; readonly table: SampleTableName };

export const createSealing = ({ db, samples, worker, transaction, flush }: Dependencies): Sealing => {
  const tables = createChunkTables(db);
  const held = createHeldHours(db);
  const count = db.prepare("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'sealings'");
  /** Hours whose sealed rows are to be deleted, each with how far that has come. */
  const sealed: { hour: Hour; from: number }[] = [];
  /** Hours that failed, and when each may be tried again. */
  let postponed: readonly { readonly hour: Hour; readonly until: number }[] = [];
  let running: Promise<void> | null = null;
  let failure: Error | null = null;

  const putRollups = (
    subject: number,
    start: number,
    { minutes, minuteRows, hours }: HourRollups,
    now: number,
  ): void => {
    tables.minutes.put(subject, start, { ...minutes, rows: minuteRows, sealedAt: now });
    tables.hours.put(subject, start, hours);
  };
  const keep = (hour: Hour, version: number, found: Sealed | null, now: number): void => {
    const { subject, id, start } = hour;
    // A sample came while the hour was read.
    if (samples.recent.version(subject, start) !== version) return;
    if (found !== null) {
      transaction(() => {
        tables.raw.put(id, start, { ...found.raw, rows: found.rows, sealedAt: now });
        putRollups(id, start, found.rollups, now);
        if (found.following !== null) putRollups(id, start + HOUR_MS, found.following, now);
        count.run();
      });
    }
    samples.recent.drop(subject, start);
    samples.forgetHour(subject, start);
    held.forget(id, start);
    sealed.push({ hour, from: start });
  };

  const seal = async (hour: Hour, now: number): Promise<void> => {
    const { id, table, subject, start } = hour;
    try {
      const version = samples.recent.version(subject, start);
      keep(hour, version, await worker.run('seal', () => ({ subject: id, table, start })), now);
    } catch (error) {
      postponed = [...postponed, { hour, until: now + RETRY_MS }];
      const why = error instanceof Error ? error.message : String(error);
      const hourName = new Date(start).toISOString();
      failure = new Error(`the hour of ${subject} from ${hourName} cannot be sealed: ${why}`, { cause: error });
    }
  };

  /** Deletes a few hot rows of an hour, only those that stand in its chunk. */
  const deleteSome = (next: { hour: Hour; from: number }): void => {
    const { hour, from } = next;
    const table = samples.tables[hour.table];
    const moments = table.moments(hour.id, { from, to: hour.start + HOUR_MS, limit: ROWS_A_STEP });
    transaction(() => {
      for (const at of moments) if (held.holds(hour.id, at)) table.delete(hour.id, at);
    });
    next.from = (moments.at(-1) ?? 0) + 1;
    if (moments.length < ROWS_A_STEP) sealed.shift();
  };

  /** The oldest hour of hot rows that is over: so what a kill left undone is found as well. */
  const nextHour = (now: number): Hour | null => {
    postponed = postponed.filter(({ until }) => until > now);
    const end = hourOf(now - REST_MS);
    for (const table of SAMPLE_TABLES) {
      const { first, subjects } = samples.tables[table];
      for (let row = first(0, end); row !== undefined; row = first(hourOf(row.at) + HOUR_MS, end)) {
        const start = hourOf(row.at);
        const waiting = postponed.filter(({ hour }) => hour.table === table && hour.start === start);
        // The rows of an hour that waits stand before those of others.
        const ids = waiting.length === 0 ? [row.subject] : subjects(start, start + HOUR_MS);
        const id = ids.find((one) => waiting.every(({ hour }) => hour.id !== one));
        if (id !== undefined) return { subject: samples.nameOf(id) ?? '', start, id, table };
      }
    }
    return null;
  };

  return {
    step: (now) => {
      if (failure !== null) {
        const error = failure;
        failure = null;
        throw error;
      }
      if (running !== null) return true;
      const [next] = sealed;
      if (next !== undefined) {
        deleteSome(next);
        return true;
      }
      flush();
      const hour = nextHour(now);
      if (hour === null) return false;
      running = seal(hour, now).finally(() => {
        running = null;
      });
      return true;
    },
    settled: async () => {
      await running;
    },
  };
};
