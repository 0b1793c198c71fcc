import { BINS } from '../../core/percent-bins.ts';
import type { Chunk } from '../chunks/chunk.ts';
import type { Columns } from '../chunks/columns.ts';
import type { RollupColumns } from './rollup.ts';

/**
 * The columns of a minute chunk: `METRIC.count`, `.sum` and so on. A metric that was never known has none. A bin
 * that stayed empty has: all chunks then share one layout, which is longer than the column.
 */
export const columnsOfMinutes = (metrics: Iterable<readonly [string, RollupColumns]>): Columns => {
  const columns = new Map<string, Float64Array>();
  let at = new Float64Array(0);
  for (const [metric, rollups] of metrics) {
    at = Float64Array.from(rollups.start);
    if (rollups.count.every((count) => count === 0)) continue;
    for (const name of ['count', 'sum', 'min', 'max', 'last'] as const) columns.set(`${metric}.${name}`, rollups[name]);
    if (rollups.increase) columns.set(`${metric}.increase`, rollups.increase);
    for (const name of ['p5', 'p50', 'p95'] as const) {
      if (rollups.percentiles) columns.set(`${metric}.${name}`, rollups.percentiles[name]);
    }
    for (const [bin, counts] of (rollups.bins ?? []).entries()) {
      columns.set(`${metric}.b${bin}`, counts);
    }
  }
  return { at, columns };
};

/** The minutes of one metric, read out of a minute chunk. Throws DamagedChunk. */
export const minuteColumns = (chunk: Chunk, metric: string): RollupColumns => {
  const start = chunk.at();
  const fill = (value: number) => new Float64Array(start.length).fill(value);
  const read = (name: string) => chunk.column(`${metric}.${name}`);
  const known = (name: string) => read(name) ?? fill(Number.NaN);
  const p50 = read('p50');
  let bins: RollupColumns['bins'] = null;
  return {
    start,
    count: read('count') ?? fill(0),
    sum: known('sum'),
    min: known('min'),
    max: known('max'),
    last: known('last'),
    increase: read('increase'),
    percentiles: p50 && { p5: known('p5'), p50, p95: known('p95') },
    // Two thirds of all columns, and seldom asked for.
    get bins() {
      bins ??= p50 && Array.from({ length: BINS }, (_, bin) => read(`b${bin}`) ?? fill(0));
      return bins;
    },
  };
};
