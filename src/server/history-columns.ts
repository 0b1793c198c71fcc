import { FURTHER_AGGREGATES, type History, USUAL_AGGREGATES } from '../core/history.ts';
import type { Series, SeriesColumns } from '../core/ports.ts';

/** A history as the store gives it, with what was asked for. */
export type HistoryAnswer = Series & Omit<History, keyof Series>;

/** One aggregate of one metric, such as `utilization.p95`. */
export type Column = {
  readonly name: string;
  readonly isCount: boolean;
  readonly values: readonly (number | null)[];
};

/** All that a history holds, metric by metric. */
export const columnsOf = ({ metrics }: HistoryAnswer): readonly Column[] =>
  Object.entries(metrics).flatMap(([metric, columns]) =>
    aggregatesOf(columns).map(({ aggregate, values }) => ({
      name: `${metric}.${aggregate}`,
      isCount: aggregate === 'count',
      values,
    })),
  );

const AGGREGATES = [...USUAL_AGGREGATES, ...FURTHER_AGGREGATES];

/** The aggregates that a metric has, the usual ones first. */
export const aggregatesOf = (columns: SeriesColumns) =>
  AGGREGATES.flatMap((aggregate) => {
    const values = columns[aggregate];
    return values === undefined ? [] : [{ aggregate, values }];
  });
