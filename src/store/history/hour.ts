import type { Metric } from '../../core/metrics.ts';
import { BINS, binOf } from '../../core/percent-bins.ts';
import { quantileOfSorted } from '../../core/statistics.ts';
import type { Growth } from './growth.ts';
import { HOUR_MS, type HourRollup, MINUTE_MS, type RollupColumns } from './rollup.ts';

/** Which metrics are rolled up, and how. */
export type Catalogue = Readonly<Record<string, Metric>>;

/** The value of a metric of one sample; `place` is that of the metric in its catalogue. */
export type ValueAt = (metric: string, place: number) => number | null | undefined;

/** The rollups of one hour of a subject, made sample by sample. */
export type Hour = {
  /** How many samples it holds. */
  readonly rows: () => number;
  /** `at` is a moment in the hour, whichever; NaN and null are values that are not known. */
  readonly add: (at: number, valueAt: ValueAt, growth: Growth) => void;
  /** The minutes that hold samples. */
  readonly minutes: (metric: string) => RollupColumns;
  /** null: the metric was never known in it. */
  readonly whole: (metric: string) => HourRollup | null;
};

const MINUTES = HOUR_MS / MINUTE_MS;

/** An hour without samples, in typed arrays: some 40 bytes a metric and minute. */
export const createHour = (start: number, catalogue: Catalogue): Hour => {
  const metrics = Object.entries(catalogue).map(([name, metric]) => ({ name, ...createMetric(metric) }));
  const byName = new Map(metrics.map((metric) => [metric.name, metric]));
  const rowsOf = new Float64Array(MINUTES);
  let rows = 0;
  const of = (name: string): MetricHour => {
    const metric = byName.get(name);
    if (metric === undefined) throw new RangeError(`there is no metric ${name}`);
    return metric;
  };

  return {
    rows: () => rows,
    add: (at, valueAt, growth) => {
      const minute = Math.floor((at - start) / MINUTE_MS);
      rows += 1;
      rowsOf[minute] = (rowsOf[minute] ?? 0) + 1;
      for (let place = 0; place < metrics.length; place++) {
        const metric = metrics[place];
        const value = metric && (valueAt(metric.name, place) ?? Number.NaN);
        if (metric === undefined || value === undefined || Number.isNaN(value)) continue;
        metric.add(minute, at, value, metric.increase === null ? Number.NaN : growth.next(metric.name, at, value));
      }
    },
    minutes: (name) => {
      const filled = [...rowsOf.keys()].filter((minute) => (rowsOf[minute] ?? 0) > 0);
      return of(name).columns(filled, start);
    },
    whole: (name) => of(name).whole(name),
  };
};

type MetricHour = ReturnType<typeof createMetric>;

const createMetric = ({ counter, percentiles }: Pick<Metric, 'counter' | 'percentiles'>) => {
  const column = (value: number) => new Float64Array(MINUTES).fill(value);
  const count = column(0);
  const sum = column(0);
  const min = column(Number.NaN);
  const max = column(Number.NaN);
  const last = column(Number.NaN);
  const lastAt = column(Number.NEGATIVE_INFINITY);
  const increase = counter ? column(0) : null;
  /** By minute; only where percentiles are wanted. */
  const values: number[][] | null = percentiles ? Array.from({ length: MINUTES }, () => []) : null;
  /** Percentiles of minutes that were asked for, and how many values they are of. */
  const known = values && {
    count: column(0),
    p5: column(Number.NaN),
    p50: column(Number.NaN),
    p95: column(Number.NaN),
  };

  const learn = (minute: number): void => {
    if (known === null || values === null || known.count[minute] === count[minute]) return;
    const sorted = Float64Array.from(values[minute] ?? []).sort();
    known.count[minute] = sorted.length;
    known.p5[minute] = quantileOfSorted(sorted, 0.05);
    known.p50[minute] = quantileOfSorted(sorted, 0.5);
    known.p95[minute] = quantileOfSorted(sorted, 0.95);
  };

  return {
    increase,
    add: (minute: number, at: number, value: number, grown: number): void => {
      count[minute] = (count[minute] ?? 0) + 1;
      sum[minute] = (sum[minute] ?? 0) + value;
      if (!(value >= (min[minute] ?? 0))) min[minute] = value;
      if (!(value <= (max[minute] ?? 0))) max[minute] = value;
      if (at >= (lastAt[minute] ?? 0)) {
        lastAt[minute] = at;
        last[minute] = value;
      }
      if (increase !== null && !Number.isNaN(grown)) increase[minute] = (increase[minute] ?? 0) + grown;
      values?.[minute]?.push(value);
    },
    columns: (minutes: readonly number[], start: number): RollupColumns => {
      const pick = (from: Float64Array) => Float64Array.from(minutes, (minute) => from[minute] ?? Number.NaN);
      for (const minute of minutes) learn(minute);
      return {
        start: Float64Array.from(minutes, (minute) => start + minute * MINUTE_MS),
        count: pick(count),
        sum: pick(sum).map((total, i) => (count[minutes[i] ?? 0] === 0 ? Number.NaN : total)),
        min: pick(min),
        max: pick(max),
        last: pick(last),
        increase: increase && pick(increase),
        percentiles: known && { p5: pick(known.p5), p50: pick(known.p50), p95: pick(known.p95) },
        bins: values && binColumns(minutes.map((minute) => values[minute] ?? [])),
      };
    },
    whole: (metric: string): HourRollup | null => {
      const total = count.reduce((all, n) => all + n, 0);
      if (total === 0) return null;
      const sorted = values && Float64Array.from(values.flat()).sort();
      const latest = lastAt.reduce((best, at, minute) => (at > (lastAt[best] ?? 0) ? minute : best), 0);
      return {
        metric,
        count: total,
        sum: sum.reduce((all, n) => all + n, 0),
        min: min.reduce((least, n) => (n < least ? n : least), Number.POSITIVE_INFINITY),
        max: max.reduce((most, n) => (n > most ? n : most), Number.NEGATIVE_INFINITY),
        last: last[latest] ?? Number.NaN,
        increase: increase?.reduce((all, n) => all + n, 0) ?? null,
        p5: sorted && quantileOfSorted(sorted, 0.05),
        p50: sorted && quantileOfSorted(sorted, 0.5),
        p95: sorted && quantileOfSorted(sorted, 0.95),
        bins: values && binColumns([values.flat()]).map(([n = 0]) => n),
      };
    },
  };
};

/** How many of the values of each stretch stand in each bin; a column a bin. */
const binColumns = (stretches: readonly (readonly number[])[]): Float64Array[] => {
  const bins = Array.from({ length: BINS }, () => new Float64Array(stretches.length));
  for (const [i, values] of stretches.entries()) {
    for (const value of values) {
      const bin = bins[binOf(value)];
      if (bin !== undefined) bin[i] = (bin[i] ?? 0) + 1;
    }
  }
  return bins;
};
