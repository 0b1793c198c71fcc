import type { Database } from 'better-sqlite3';
import { COLLECTOR_METRICS, GPU_METRICS, HOST_METRICS, RUN_METRICS } from '../core/metrics.ts';
import type { Sample } from '../core/sample.ts';
import { finite } from './finite.ts';
import { createSampleTable, type SampleTable } from './sample-table.ts';
import { createSubjects } from './subjects.ts';

/**
 * Samples: the newest ones in memory (the tail), the others in a wide table for each kind of subject. A sample is either in the tail or in
 * its table; every read looks at both. A kill loses at most the tail: a gap of {@link TICKS_A_WRITE} ticks.
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
  /** The catalogue's names for the kind of subject that this is. */
  readonly metricsOf: (subject: string) => readonly string[];
  readonly latest: (subject: string) => Sample | null;
  readonly since: (subject: string, from: number) => readonly Sample[];
  /** The samples of a subject that are not written yet, in the order of arrival. */
  readonly tailOf: (subject: string) => readonly Sample[];
  /** Where the written samples of a subject are; null when there are none. */
  readonly tableOf: (subject: string) => { readonly table: SampleTable; readonly id: number } | null;
  /** Deletes at most `limit` rows of each table from before `cutoff`; returns the largest count. */
  readonly prune: (cutoff: number, limit: number) => number;
};

/** A tail of this many samples of one subject is written. */
const TICKS_A_WRITE = 10;
/** A sample that is news and so much older than the newest is not late: the clock was set back. */
const SET_BACK_MS = 60_000;

export const createSamples = (db: Database): Samples => {
  const subjects = createSubjects(db);
  const tables = {
    gpu: createSampleTable(db, 'gpu_samples', Object.keys(GPU_METRICS)),
    host: createSampleTable(db, 'host_samples', Object.keys(HOST_METRICS)),
    run: createSampleTable(db, 'run_samples', Object.keys(RUN_METRICS)),
    collector: createSampleTable(db, 'collector_samples', Object.keys(COLLECTOR_METRICS)),
  };
  const tableFor = (subject: string): SampleTable => {
    const [kind = ''] = subject.split(':', 1);
    if (kind === 'host' || kind === 'run' || kind === 'collector') return tables[kind];
    return tables.gpu;
  };

  const tail = new Map<string, Sample[]>();
  const newest = new Map<string, Sample>();
  let due = false;

  const readLatest = (name: string): Sample | null => {
    const subject = subjects.find(name);
    const row = subject && tableFor(name).get(subject.id, subject.newestAt);
    return row ? { subject: name, ...row } : null;
  };
  const latest = (name: string): Sample | null => {
    const known = newest.get(name) ?? readLatest(name);
    if (known !== null) newest.set(name, known);
    return known;
  };
  const isStored = ({ subject: name, at }: Sample): boolean => {
    if (tail.get(name)?.some((sample) => sample.at === at)) return true;
    const subject = subjects.find(name);
    return subject !== undefined && tableFor(name).get(subject.id, at) !== undefined;
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
    if (isNewest) newest.set(subject, sample);
    if (ofSubject.length >= TICKS_A_WRITE) due = true;
    return sample;
  };

  const tableOf: Samples['tableOf'] = (name) => {
    const subject = subjects.find(name);
    return subject === undefined ? null : { table: tableFor(name), id: subject.id };
  };
  const tailOf = (subject: string) => tail.get(subject) ?? [];

  return {
    append: (samples) => samples.flatMap((sample) => take(sample) ?? []),
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
    metricsOf: (subject) => tableFor(subject).metrics,
    latest,
    since: (subject, from) => {
      const written = tableOf(subject);
      const rows = written === null ? [] : written.table.since(written.id, from);
      return [...rows.map((row) => ({ subject, ...row })), ...tailOf(subject).filter(({ at }) => at >= from)].sort(
        (a, b) => a.at - b.at,
      );
    },
    tailOf,
    tableOf,
    prune: (cutoff, limit) => Math.max(...Object.values(tables).map((table) => table.prune(cutoff, limit))),
  };
};
