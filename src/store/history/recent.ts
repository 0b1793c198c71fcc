import { SAMPLE_KINDS, tableOfSubject } from '../sample-kinds.ts';
import { createGrowth, type Growth } from './growth.ts';
import { type Catalogue, createHour, type Hour, type ValueAt } from './hour.ts';
import { HOUR_MS, type RollupColumns } from './rollup.ts';

/**
 * The rollups of what is not sealed yet, in memory, so that a question by the minute reads no hot rows. Samples from
 * before `since` have none: they are found in the hot tables, where they wait to be sealed.
 */
export type Recent = {
  /** Where the hours that it holds begin, ms. */
  readonly since: () => number;
  /** Takes a sample that is not sealed, and was not taken before. */
  readonly add: (subject: string, at: number, valueAt: ValueAt) => void;
  /** The minutes that begin in [from, to) and hold unsealed samples. Growth and percentiles of late samples come with the sealing. */
  readonly columnsOf: (subject: string, metric: string, from: number, to: number) => RollupColumns;
  /** Grows with every sample of an hour, whether it holds that hour or not. */
  readonly version: (subject: string, start: number) => number;
  /** Forgets an hour: it is sealed. */
  readonly drop: (subject: string, start: number) => void;
};

/** `start`: where the hour begins, ms. */
export type SubjectHour = { readonly subject: string; readonly start: number };

export const createRecent = (since: number): Recent => {
  const hours = new Map<string, Map<number, Hour>>();
  const growths = new Map<string, Growth>();
  const early = new Map<string, number>();

  return {
    since: () => since,
    add: (subject, at, valueAt) => {
      const start = hourOf(at);
      if (start < since) {
        const key = keyOf(subject, start);
        early.set(key, (early.get(key) ?? 0) + 1);
        return;
      }
      const ofSubject = hours.get(subject) ?? new Map<number, Hour>();
      hours.set(subject, ofSubject);
      const hour = ofSubject.get(start) ?? createHour(start, catalogueOf(subject));
      ofSubject.set(start, hour);
      const growth = growths.get(subject) ?? createGrowth();
      growths.set(subject, growth);
      hour.add(at, valueAt, growth);
    },
    columnsOf: (subject, metric, from, to) => {
      const found = [...(hours.get(subject) ?? [])]
        .filter(([start]) => start < to && start + HOUR_MS > from)
        .sort(([a], [b]) => a - b)
        .map(([, hour]) => hour.minutes(metric));
      return joined(found, from, to);
    },
    version: (subject, start) => hours.get(subject)?.get(start)?.rows() ?? early.get(keyOf(subject, start)) ?? 0,
    drop: (subject, start) => {
      early.delete(keyOf(subject, start));
      hours.get(subject)?.delete(start);
      if (hours.get(subject)?.size !== 0) return;
      // Nothing for minutes: a counter grew from nothing that is known.
      hours.delete(subject);
      growths.delete(subject);
    },
  };
};

/** Where the hour of a moment begins, ms. */
export const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;

const keyOf = (subject: string, start: number): string => `${start} ${subject}`;
const catalogueOf = (subject: string): Catalogue => SAMPLE_KINDS[tableOfSubject(subject)];

/** Rollups of hours that rise as one, of the minutes that begin in [from, to). */
const joined = (hours: readonly RollupColumns[], from: number, to: number): RollupColumns => {
  const [first] = hours;
  const join = (pick: (hour: RollupColumns) => Float64Array | undefined): Float64Array =>
    Float64Array.from(
      hours.flatMap((hour) => {
        const values = pick(hour) ?? new Float64Array(0);
        return [...values].filter((_, i) => (hour.start[i] ?? 0) >= from && (hour.start[i] ?? 0) < to);
      }),
    );
  return {
    start: join((hour) => hour.start),
    count: join((hour) => hour.count),
    sum: join((hour) => hour.sum),
    min: join((hour) => hour.min),
    max: join((hour) => hour.max),
    last: join((hour) => hour.last),
    increase: first?.increase ? join((hour) => hour.increase ?? undefined) : null,
    percentiles: first?.percentiles
      ? {
          p5: join((hour) => hour.percentiles?.p5),
          p50: join((hour) => hour.percentiles?.p50),
          p95: join((hour) => hour.percentiles?.p95),
        }
      : null,
    bins: first?.bins ? first.bins.map((_, bin) => join((hour) => hour.bins?.[bin])) : null,
  };
};
