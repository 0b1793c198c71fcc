import type { Range } from '../../core/ports.ts';
import type { Sample } from '../../core/sample.ts';
import type { Columns } from '../chunks/columns.ts';

/** The samples with `from` <= at < `to` as columns, in the order of their moments. */
export const columnsOfSamples = (
  samples: readonly Sample[],
  metrics: readonly string[],
  { from, to }: Range,
): Columns => {
  const inside = samples.filter(({ at }) => at >= from && at < to).sort((a, b) => a.at - b.at);
  const columnOf = (metric: string) => Float64Array.from(inside, ({ values }) => values[metric] ?? Number.NaN);
  return {
    at: Float64Array.from(inside, ({ at }) => at),
    columns: new Map(metrics.map((metric) => [metric, columnOf(metric)])),
  };
};
