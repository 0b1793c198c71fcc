import type { FurtherAggregate } from '../../core/history.ts';
import type { HistoryQuery } from '../../core/ports.ts';
import { type BucketColumns, createBuckets } from './buckets.ts';
import type { StoredSubject } from './hot-rows.ts';
import { createPercentiles } from './percentiles.ts';
import { type Piece, planPieces } from './plan.ts';
import { type Memory, type Parts, readPieces } from './read.ts';
import { COUNTER_GAP_MS, HOUR_MS, MINUTE_MS } from './rollup.ts';

const PERCENTILES: readonly FurtherAggregate[] = ['p5', 'p50', 'p95'];

/** A history to be answered; cloned on its way to the worker. */
export type HistoryInput = {
  /** null: nothing of it is written yet. */
  readonly subject: StoredSubject | null;
  readonly query: HistoryQuery;
  /** Those of the metrics that are counters. */
  readonly counters: readonly string[];
  /** See {@link historyPieces}. */
  readonly pieces: readonly Piece[];
  readonly memory: Memory;
};

/** The columns of each metric, and why some hold nothing. */
export type HistoryAnswer = {
  readonly metrics: ReadonlyMap<string, BucketColumns & { readonly approximate: boolean }>;
  readonly absent: ReadonlyMap<string, string>;
};

/** What is read first; percentiles may need the samples of some buckets besides. */
export const historyPieces = ({ query, counters }: Pick<HistoryInput, 'query' | 'counters'>): readonly Piece[] =>
  planPieces({
    ...query,
    // A part of an hour is a part of its growth only by the minutes.
    coarsest: query.further.includes('rate') && counters.length > 0 ? 'minutes' : 'hours',
  });

/** What may be read besides, at most: samples of whatever is no minute and no hour. */
export const percentilePieces = ({ from, to, edges, further }: HistoryQuery): readonly Piece[] => {
  if (!further.some((name) => PERCENTILES.includes(name))) return [];
  const areStretches = edges.every((edge, i) => {
    const widthMs = edge - (edges[i - 1] ?? 0);
    return i === 0 || widthMs === MINUTE_MS || widthMs === HOUR_MS;
  });
  return areStretches ? [] : [{ tier: 'samples', from, to }];
};

/** Answers a history over one snapshot of the database. */
export const answerHistory = (input: HistoryInput, parts: Parts): HistoryAnswer => {
  const { subject, query, counters, pieces, memory } = input;
  const { metrics, further, edges } = query;
  const wantsRate = further.includes('rate');
  const wanted = PERCENTILES.filter((name) => further.includes(name));
  const buckets = metrics.map(
    (name) =>
      [
        name,
        createBuckets(edges, { rate: wantsRate && counters.includes(name), percentiles: wanted.length > 0 }),
      ] as const,
  );
  const marginMs = wantsRate && counters.length > 0 ? COUNTER_GAP_MS : 0;
  readPieces({ subject, metrics, pieces, marginMs, memory }, parts, {
    samples: (at, column, from) => {
      for (const [name, metric] of buckets) {
        const values = column(name);
        if (values !== null) metric.addSamples(at, values, from);
      }
    },
    stretches: (widthMs, column) => {
      for (const [name, metric] of buckets) metric.addStretches(widthMs, column(name));
    },
  });

  const absent = new Map<string, string>();
  const finished = buckets.map(([name, metric]) => {
    const columns = metric.finish();
    if (wantsRate && !counters.includes(name)) absent.set(`${name}.rate`, 'only counters have a rate');
    const rest = fillPercentiles(name, columns, input, parts);
    if (rest.isIncomplete) for (const percentile of wanted) absent.set(`${name}.${percentile}`, GONE);
    return [name, { ...columns, approximate: rest.approximate }] as const;
  });
  return { metrics: new Map(finished), absent };
};

const GONE = 'the samples are not kept any more everywhere, and what is left of them has no percentiles';

/** Those that the buckets have not of their own. */
const fillPercentiles = (
  metric: string,
  { count, percentiles: own }: BucketColumns,
  { subject, query, memory }: HistoryInput,
  parts: Parts,
): { readonly approximate: boolean; readonly isIncomplete: boolean } => {
  if (own === null) return { approximate: false, isIncomplete: false };
  const percentiles = createPercentiles(metric, { ...own, count }, query);
  readPieces({ subject, metrics: [metric], pieces: percentiles.pieces, marginMs: 0, memory }, parts, percentiles.sink);
  return percentiles.finish();
};
