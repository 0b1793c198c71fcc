import type { FurtherAggregate } from '../../core/history.ts';
import type { HistoryQuery, Series, SeriesColumns } from '../../core/ports.ts';
import type { HistoryAnswer } from './answer.ts';
import type { BucketColumns } from './buckets.ts';

/** An answer as the store gives it: lists, with null for what is not known, of the aggregates that were asked for. */
export const seriesOf = ({ edges, further }: HistoryQuery, { metrics, absent }: HistoryAnswer): Series => ({
  t: edges.slice(0, -1),
  metrics: Object.fromEntries(
    Array.from(metrics, ([name, columns]): [string, SeriesColumns] => [
      name,
      {
        avg: listOf(columns.avg, null),
        min: listOf(columns.min, null),
        max: listOf(columns.max, null),
        count: listOf(columns.count, 0),
        ...Object.fromEntries(
          further.map((aggregate) => [
            aggregate,
            listOf(columnOf(columns, aggregate) ?? columns.avg.map(() => Number.NaN), null),
          ]),
        ),
        ...(columns.approximate ? { approximate: true } : {}),
      },
    ]),
  ),
  ...(absent.size > 0 ? { absent: Object.fromEntries(absent) } : {}),
});

const columnOf = (columns: BucketColumns, aggregate: FurtherAggregate): Float64Array | null => {
  if (aggregate === 'last' || aggregate === 'rate') return columns[aggregate];
  return columns.percentiles?.[aggregate] ?? null;
};

/** A loop, since the callbacks of thousands of values are most of what an answer costs. */
const listOf = <T>(values: Float64Array, unknown: T): (number | T)[] => {
  const list = new Array<number | T>(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    list[i] = Number.isNaN(value) ? unknown : value;
  }
  return list;
};
