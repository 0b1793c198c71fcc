import { bucketEdges } from '../../../src/core/bucket-edges.ts';
import type { HistoryQuery, Store } from '../../../src/core/ports.ts';
import type { Sample } from '../../../src/core/sample.ts';
import { quantile } from '../../../src/core/statistics.ts';

/** The history as its definition says it, bucket by bucket, but for rates. */
export const naiveHistory = (samples: readonly Sample[], query: HistoryQuery) => {
  const { metrics, from, to, edges, further } = query;
  const inside = samples.filter(({ at }) => at >= from && at < to).sort((a, b) => a.at - b.at);
  const columns = metrics.map((name) => {
    const buckets = edges
      .slice(1)
      .map((end, i) =>
        inside.filter(({ at }) => at >= (edges[i] ?? 0) && at < end).flatMap(({ values }) => values[name] ?? []),
      );
    const each = (value: (values: readonly number[]) => number) =>
      buckets.map((values) => (values.length === 0 ? null : value(values)));
    const aggregates = {
      avg: each((values) => values.reduce((a, b) => a + b) / values.length),
      min: each((values) => Math.min(...values)),
      max: each((values) => Math.max(...values)),
      count: buckets.map((values) => values.length),
      last: each((values) => values.at(-1) ?? Number.NaN),
      p5: each((values) => quantile(values, 0.05)),
      p50: each((values) => quantile(values, 0.5)),
      p95: each((values) => quantile(values, 0.95)),
    };
    const wanted = ['avg', 'min', 'max', 'count', ...further];
    return [name, Object.fromEntries(Object.entries(aggregates).filter(([key]) => wanted.includes(key)))] as const;
  });
  return Object.fromEntries(columns);
};

/** All the housekeeping that is due at a moment. */
export const maintainFully = async (store: Store, now: number): Promise<void> => {
  for (let isMore = true; isMore; ) {
    isMore = store.maintain(now);
    await store.settled();
  }
};

/** A query over [from, to) by even steps. */
export const evenQuery = (
  range: { readonly from: number; readonly to: number; readonly stepMs: number },
  query: Partial<HistoryQuery>,
): HistoryQuery => {
  const { from, to, stepMs } = range;
  return { metrics: [], further: [], ...query, from, to, edges: bucketEdges({ from, to, stepMs }) };
};
