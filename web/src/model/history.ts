import type { Series, SeriesColumns } from '../../../src/core/ports.ts';

type Cell = number | null;

/** The columns of a history for a chart: one value per bucket, buckets in which nothing was asked taken out. */
export type History = Series & { readonly stepMs: number };

/**
 * Takes out empty buckets that are no gap: when the source is asked less often than a bucket is long, every other one
 * is empty. What is longer than four of the usual distances (and three buckets) is a gap: it stays as nulls, and
 * nothing may be drawn across it. So does every empty bucket where the others hold several samples each.
 */
export const withoutEmptyBuckets = (history: History): History => {
  const filled = countsOf(history).map((count) => count > 0);
  const moments = history.t.filter((_, i) => filled[i]);
  const counts = countsOf(history).filter((count) => count > 0);
  const longest = longestBridgeMs(moments, counts, history.stepMs);
  const kept: number[] = [];
  let empty: number[] = [];
  let before: number | undefined;
  for (const [i, at] of history.t.entries()) {
    if (!filled[i]) {
      empty.push(i);
      continue;
    }
    if (before === undefined || at - before > longest) kept.push(...empty);
    empty = [];
    kept.push(i);
    before = at;
  }
  return mapColumns(history, pick(history.t, kept), (column) => ({
    avg: pick(column.avg, kept),
    min: pick(column.min, kept),
    max: pick(column.max, kept),
    count: pick(column.count, kept),
  }));
};

/** The history with one live sample taken into its last bucket or a new one, and without buckets before `from`. */
export const withSample = (
  history: History,
  at: number,
  values: Readonly<Record<string, Cell>>,
  from: number,
): History => {
  const bucket = Math.floor(at / history.stepMs) * history.stepMs;
  const last = history.t.at(-1);
  if (last !== undefined && bucket < last) return history;
  const merge = last === bucket;
  const longest = longestBridgeMs(history.t.slice(-20), countsOf(history).slice(-20), history.stepMs);
  const gap = last !== undefined && bucket - last > longest;
  const late = history.t.findIndex((t) => t >= from);
  const first = late === -1 ? history.t.length : late;
  const extend = <T extends Cell>(cells: readonly T[], nothing: T, cell: T): readonly T[] => [
    ...cells.slice(first, merge ? -1 : undefined),
    ...(gap ? [nothing] : []),
    cell,
  ];
  const t = extend(history.t, (last ?? bucket) + history.stepMs, bucket);
  return mapColumns(history, t, (column, name) => {
    const known = merge ? (column.count.at(-1) ?? 0) : 0;
    const value = values[name] ?? null;
    const [avg, min, max] = known ? [column.avg.at(-1), column.min.at(-1), column.max.at(-1)] : [];
    const use = (of: (value: number) => number, before: Cell | undefined) =>
      value === null ? (before ?? null) : of(value);
    return {
      avg: extend(
        column.avg,
        null,
        use((v) => ((avg ?? 0) * known + v) / (known + 1), avg),
      ),
      min: extend(
        column.min,
        null,
        use((v) => Math.min(v, min ?? v), min),
      ),
      max: extend(
        column.max,
        null,
        use((v) => Math.max(v, max ?? v), max),
      ),
      count: extend(column.count, 0, value === null ? known : known + 1),
    };
  });
};

/** Samples in each bucket, of the metric that has most. */
const countsOf = ({ t, metrics }: History): number[] => {
  const columns = Object.values(metrics);
  return t.map((_, i) => Math.max(0, ...columns.map((column) => column.count[i] ?? 0)));
};

/** A bucket that usually holds so many samples is empty only when the source was silent. */
const SEVERAL = 5;

/** From this distance between two filled buckets on, what lies between them is missing. */
const longestBridgeMs = (moments: readonly number[], counts: readonly number[], stepMs: number): number => {
  if ((middle(counts) ?? 0) >= SEVERAL) return stepMs;
  const distances = moments.slice(1).map((at, i) => at - (moments[i] ?? at));
  return Math.max(3 * stepMs, 4 * (middle(distances) ?? stepMs));
};

const middle = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const pick = <T>(column: readonly T[], indices: readonly number[]): T[] =>
  indices.flatMap((i) => column.slice(i, i + 1));

const mapColumns = (
  history: History,
  t: readonly number[],
  change: (column: SeriesColumns, name: string) => SeriesColumns,
): History => ({
  stepMs: history.stepMs,
  t,
  metrics: Object.fromEntries(Object.entries(history.metrics).map(([name, column]) => [name, change(column, name)])),
});
