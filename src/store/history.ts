import type { HistoryQuery, SeriesColumns, StoreReader } from '../core/ports.ts';
import type { Samples } from './samples.ts';

/**
 * Answers for the history of a subject: what is written is grouped by SQLite, what is in the tail is merged in, and
 * both count exactly the samples with `from` <= at < `to`. Throws a RangeError on a metric that the subject has not.
 */
export const createHistory =
  (samples: Samples): StoreReader['history'] =>
  (subject, query) => {
    const unknown = query.metrics.find((name) => !samples.metricsOf(subject).includes(name));
    if (unknown !== undefined) throw new RangeError(`${subject} has no metric ${unknown}`);
    const first = Math.floor(query.from / query.stepMs);
    const length = Math.max(0, Math.ceil(query.to / query.stepMs) - first);
    const columns = query.metrics.map((name) => ({ name, ...emptyColumns(length) }));

    for (const row of writtenBuckets(samples, subject, query)) {
      const index = (row[0] ?? 0) - first;
      for (const [i, column] of columns.entries()) {
        const [count, sum, min, max] = row.slice(1 + 4 * i, 5 + 4 * i);
        add(column, index, { count: count ?? 0, sum: sum ?? 0, min: min ?? null, max: max ?? null });
      }
    }
    for (const { at, values } of samples.tailOf(subject)) {
      if (at < query.from || at >= query.to) continue;
      for (const column of columns) {
        const value = values[column.name] ?? null;
        if (value === null) continue;
        add(column, Math.floor(at / query.stepMs) - first, { count: 1, sum: value, min: value, max: value });
      }
    }
    return {
      t: Array.from({ length }, (_, index) => (first + index) * query.stepMs),
      metrics: Object.fromEntries(columns.map((column) => [column.name, seriesOf(column)])),
    };
  };

type Columns = { count: number[]; sum: number[]; min: (number | null)[]; max: (number | null)[] };
type Bucket = { count: number; sum: number; min: number | null; max: number | null };

const emptyColumns = (length: number): Columns => ({
  count: new Array<number>(length).fill(0),
  sum: new Array<number>(length).fill(0),
  min: new Array<number | null>(length).fill(null),
  max: new Array<number | null>(length).fill(null),
});

const writtenBuckets = (samples: Samples, subject: string, query: HistoryQuery) => {
  const written = samples.tableOf(subject);
  return written === null ? [] : written.table.aggregate(written.id, query);
};

const add = (columns: Columns, index: number, { count, sum, min, max }: Bucket): void => {
  columns.count[index] = (columns.count[index] ?? 0) + count;
  columns.sum[index] = (columns.sum[index] ?? 0) + sum;
  columns.min[index] = least(columns.min[index] ?? null, min);
  columns.max[index] = greatest(columns.max[index] ?? null, max);
};

const least = (a: number | null, b: number | null) => (a === null || (b !== null && b < a) ? b : a);
const greatest = (a: number | null, b: number | null) => (a === null || (b !== null && b > a) ? b : a);

const seriesOf = ({ count, sum, min, max }: Columns): SeriesColumns => ({
  avg: count.map((n, index) => (n === 0 ? null : (sum[index] ?? 0) / n)),
  min,
  max,
  count,
});
