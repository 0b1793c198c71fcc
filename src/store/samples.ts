import type { Database } from 'better-sqlite3';
import type { Metric } from '../core/metrics.ts';
import type { Range } from '../core/range.ts';
import type { Sample } from '../core/sample.ts';
import { finite } from './finite.ts';
import { createHeldHours } from './history/held-hours.ts';
import type { StoredSubject } from './history/hot-rows.ts';
import { createRecent, hourOf, type Recent } from './history/recent.ts';
import { HOUR_MS } from './history/rollup.ts';
import { SAMPLE_KINDS, SAMPLE_TABLES, type SampleTableName, tableOfSubject } from './sample-kinds.ts';
import { createSampleTable, type SampleTable } from './sample-table.ts';
import { createSubjects } from './subjects.ts';

/**
 * Samples: the newest ones in memory (the tail), those of the last hours in a wide table for each kind of subject, older
 * ones sealed (see `history/`). A sample is either in the tail or in its table; every read looks at both. A kill loses
 * at most the tail: a gap of {@link TICKS_A_WRITE} ticks.
 */
export type Samples = {
  /** Takes samples into the tail; returns those that were not there before, with every metric of the catalogue. */
  readonly append: (samples: readonly Sample[]) => readonly Sample[];
  /** True when the tail is long enough to be written, or was asked to be. */
  readonly isDue: () => boolean;
  readonly askForWrite: () => void;
  /** Writes the tail if it is due. Belongs at the end of a transaction. */
  readonly writeIfDue: () => void;
  /** Lets go of the tail that was written. Belongs after the commit. */
  readonly dropWritten: () => void;
  /** How many samples were let go of without being written, because the database took no writes for so long. */
  readonly lost: () => number;
  /** The catalogue's names for the kind of subject that this is. */
  readonly metricsOf: (subject: string) => readonly string[];
  readonly isCounter: (subject: string, metric: string) => boolean;
  readonly latest: (subject: string) => Sample | null;
  readonly since: (subject: string, from: number) => readonly Sample[];
  /** The samples of a subject that are not written yet, in the order of arrival. */
  readonly tailOf: (subject: string) => readonly Sample[];
  /** Its number and where its written samples are; null when there are none. */
  readonly storedOf: (subject: string) => StoredSubject | null;
  readonly nameOf: (id: number) => string | undefined;
  readonly tables: Readonly<Record<SampleTableName, SampleTable>>;
  /** Rollups of what is not sealed. */
  readonly recent: Recent;
  /** Hot samples that {@link Recent} does not hold: they wait to be sealed since before the start; null: there are none. */
  readonly unread: () => Range | null;
  /** What is known of sealed hours is to be read anew. */
  readonly forgetHour: (subject: string, start: number) => void;
};

/** A tail of this many samples of one subject is written. */
const TICKS_A_WRITE = 10;
/** While the database takes no writes, this many samples of one subject are kept: ten minutes at one a second. */
const MOST_IN_TAIL = 600;
/** A sample that is news and so much older than the newest is not late: the clock was set back. */
const SET_BACK_MS = 60_000;

export const createSamples = (db: Database): Samples => {
  const subjects = createSubjects(db);
  const tables: Samples['tables'] = {
    gpu_samples: createSampleTable(db, 'gpu_samples', Object.keys(SAMPLE_KINDS.gpu_samples)),
    host_samples: createSampleTable(db, 'host_samples', Object.keys(SAMPLE_KINDS.host_samples)),
    run_samples: createSampleTable(db, 'run_samples', Object.keys(SAMPLE_KINDS.run_samples)),
    collector_samples: createSampleTable(db, 'collector_samples', Object.keys(SAMPLE_KINDS.collector_samples)),
  };
  const tableFor = (subject: string): SampleTable => tables[tableOfSubject(subject)];
  const held = createHeldHours(db);
  const recent = createRecent(firstRecentHour(tables));
  readRecent({ tables, recent, held, nameOf: subjects.nameOf });

  const tail = new Map<string, Sample[]>();
  const newest = new Map<string, Sample>();
  const furthest = new Map<string, number>();
  let due = false;
  let lost = 0;

  const readLatest = (name: string): Sample | null => {
    const subject = subjects.find(name);
    if (subject === undefined) return null;
    const { id, newestAt } = subject;
    const table = tableFor(name);
    const row = table.get(id, newestAt) ?? held.row(id, newestAt, table.metrics);
    return row ? { subject: name, ...row } : null;
  };
  const latest = (name: string): Sample | null => {
    const known = newest.get(name) ?? readLatest(name);
    if (known !== null) newest.set(name, known);
    return known;
  };
  /** No sample of the subject that is known is later. */
  const furthestOf = (name: string): number => {
    const known = furthest.get(name);
    if (known !== undefined) return known;
    const subject = subjects.find(name);
    const hot = tableFor(name).range()?.to ?? Number.NEGATIVE_INFINITY;
    return subject === undefined ? Number.NEGATIVE_INFINITY : Math.max(hot, held.until(subject.id));
  };
  const isStored = ({ subject: name, at }: Sample): boolean => {
    // The usual case, told without a query.
    if (at > furthestOf(name)) return false;
    if (tail.get(name)?.some((sample) => sample.at === at)) return true;
    const subject = subjects.find(name);
    if (subject === undefined) return false;
    return tableFor(name).get(subject.id, at) !== undefined || held.holds(subject.id, at);
  };

  /** Null when it is there already. */
  const take = ({ subject, at, values }: Sample): Sample | null => {
    const { metrics } = tableFor(subject);
    const sample = { subject, at, values: Object.fromEntries(metrics.map((name) => [name, finite(values[name])])) };
    // Also when it is later than the newest: a clock that was set back comes past its own samples again.
    if (isStored(sample)) return null;
    const before = latest(subject);
    const isNewest = before === null || at > before.at || at < before.at - SET_BACK_MS;
    const ofSubject = tail.get(subject) ?? [];
    ofSubject.push(sample);
    tail.set(subject, ofSubject);
    recent.add(subject, at, (metric) => sample.values[metric]);
    if (isNewest) newest.set(subject, sample);
    furthest.set(subject, Math.max(furthestOf(subject), at));
    if (ofSubject.length >= TICKS_A_WRITE) due = true;
    return sample;
  };
  /** What came before is written by now, or the database takes no writes. */
  const dropUnwritable = (): void => {
    for (const samples of tail.values()) lost += samples.splice(0, Math.max(0, samples.length - MOST_IN_TAIL)).length;
  };
  const tailOf = (subject: string) => tail.get(subject) ?? [];

  return {
    append: (samples) => {
      dropUnwritable();
      return samples.flatMap((sample) => take(sample) ?? []);
    },
    isDue: () => due,
    askForWrite: () => {
      due = true;
    },
    writeIfDue: () => {
      if (!due) return;
      for (const [name, samples] of tail) {
        // What has a tail has a newest sample.
        const id = subjects.enter(name, latest(name)?.at ?? 0);
        const table = tableFor(name);
        for (const { at, values } of samples) table.insert(id, at, values);
      }
    },
    dropWritten: () => {
      if (due) tail.clear();
      due = false;
    },
    lost: () => lost,
    metricsOf: (subject) => tableFor(subject).metrics,
    isCounter: (subject, name) => {
      const catalogue: Readonly<Record<string, Metric>> = SAMPLE_KINDS[tableOfSubject(subject)];
      return catalogue[name]?.counter === true;
    },
    latest,
    since: (subject, from) => {
      const id = subjects.find(subject)?.id;
      const table = tableFor(subject);
      const rows = id === undefined ? [] : [...held.since(id, from, table.metrics), ...table.since(id, from)];
      const written = [...new Map(rows.map((row) => [row.at, row])).values()];
      return [...written.map((row) => ({ subject, ...row })), ...tailOf(subject).filter(({ at }) => at >= from)].sort(
        (a, b) => a.at - b.at,
      );
    },
    tailOf,
    storedOf: (subject) => {
      const id = subjects.find(subject)?.id;
      return id === undefined ? null : { id, table: tableOfSubject(subject) };
    },
    nameOf: subjects.nameOf,
    tables,
    recent,
    unread: () => {
      const oldest = [...tail.values()].flat().reduce((least, { at }) => Math.min(least, at), oldestHot(tables));
      return oldest < recent.since() ? { from: oldest, to: recent.since() } : null;
    },
    forgetHour: (subject, start) => {
      const id = subjects.find(subject)?.id;
      if (id !== undefined) held.forget(id, start);
    },
  };
};

const oldestHot = (tables: Samples['tables']): number =>
  Math.min(...SAMPLE_TABLES.map((name) => tables[name].range()?.from ?? Number.POSITIVE_INFINITY));

/** The hour before that of the newest sample: with what a start reads, no more than two hours of samples. */
const firstRecentHour = (tables: Samples['tables']): number => {
  const newest = SAMPLE_TABLES.flatMap((name) => tables[name].range()?.to ?? []);
  return newest.length === 0 ? 0 : hourOf(Math.max(...newest)) - HOUR_MS;
};

type Reading = Pick<Samples, 'tables' | 'recent' | 'nameOf'> & { readonly held: ReturnType<typeof createHeldHours> };

/** Makes the recent rollups anew. A row that was sealed, but not deleted when the process was killed, is left out. */
const readRecent = ({ tables, recent, held, nameOf }: Reading): void => {
  const names = new Map<number, string | undefined>();
  for (const name of SAMPLE_TABLES) {
    for (const row of tables[name].all(recent.since())) {
      const [id, at] = [row[0] ?? 0, row[1] ?? 0];
      if (!names.has(id)) names.set(id, nameOf(id));
      const subject = names.get(id);
      if (subject === undefined || held.holds(id, at)) continue;
      recent.add(subject, at, (_metric, place) => row[place + 2]);
    }
  }
};
