import { type Range, union } from './range.ts';
import {
  LONGEST_REACH_MS,
  type UseColumns,
  type UseOverTime,
  type UseStretches,
  useOfSamples,
  useOfStretches,
} from './use-over-time.ts';
import {
  createValueAccumulator,
  type StretchColumns,
  type ValueAccumulator,
  type ValueStatistics,
} from './value-statistics.ts';

export type { StretchColumns, ValueStatistics };

/** What the samples of one GPU come to in one window. */
export type WindowStatistics = {
  readonly metrics: Readonly<Record<string, ValueStatistics>>;
  /** Seconds in which utilization was under the limit that was asked for; null: not known. */
  readonly secondsBelow: number | null;
  /** GPU-seconds lost: the share of utilization that is missing to 100 %, over time. */
  readonly secondsLost: number | null;
  /** From the energy counter where there is one, else from power over time. */
  readonly energyWh: number | null;
  /** Share of the window that samples stand for, 0 to 1; null for a window without length. */
  readonly coverage: number | null;
  /** Set when percentiles and seconds come from rollups, because the samples are gone. */
  readonly approximate?: true;
};

/** How far before and after a window its samples are wanted, ms: those at its edges stand for a part of it. */
export const WINDOW_MARGIN_MS = LONGEST_REACH_MS;

/** What seconds, energy and coverage are made of, beside the metrics that are asked for. */
export const USE_METRICS = ['utilization', 'power', 'energy'] as const;

/**
 * Gathers one window of one GPU. It holds every value that it is given until the end, 8 bytes each: a month at 1 Hz is
 * 21 MB a metric, so long windows are best gathered a few metrics at a time.
 */
export type WindowAccumulator = {
  /**
   * Takes samples: `at` rises, within a piece and from piece to piece. Those from {@link WINDOW_MARGIN_MS} before the
   * window to as long after it count, whatever else is given. `column` has a place for each, NaN where the value is not
   * known, and is null where none is; it is asked for the window's metrics and for {@link USE_METRICS}. What it gives
   * must not change any more.
   */
  readonly addSamples: (at: Float64Array, column: (metric: string) => Float64Array | null) => void;
  /**
   * Takes stretches of `widthMs` whose samples are gone, of each metric that is asked for and of {@link USE_METRICS}.
   * Those that begin in the window count, each whole.
   */
  readonly addStretches: (widthMs: number, column: (metric: string) => StretchColumns | null) => void;
  readonly finish: () => WindowStatistics;
};

/** `ranges` are the stretches of the window: they rise and do not overlap. `below` is utilization, %. */
export const createWindowAccumulator = ({
  metrics,
  ranges,
  below,
}: {
  readonly metrics: readonly string[];
  readonly ranges: readonly Range[];
  readonly below: number;
}): WindowAccumulator => {
  const wanted = [...new Set([...USE_METRICS, ...metrics])];
  const wide = withMargins(ranges);
  const values = new Map(metrics.map((metric): [string, ValueAccumulator] => [metric, createValueAccumulator()]));
  const samples: UseColumns[] = [];
  const uses: UseOverTime[] = [];
  let hasStretches = false;

  return {
    addSamples: (at, columnOf) => {
      const slices = slicesOf(at, wide);
      if (slices.length === 0) return;
      const columns = new Map(wanted.map((metric) => [metric, columnOf(metric)]));
      for (const [metric, accumulator] of values) {
        const column = columns.get(metric) ?? null;
        if (column === null) continue;
        for (const [from, to] of slicesOf(at, ranges)) accumulator.addValues(column.subarray(from, to));
      }
      const known = [...columns.values()].filter((column) => column !== null);
      for (const [from, to] of slices) {
        const slice = (metric: string) => columns.get(metric)?.subarray(from, to) ?? null;
        samples.push({
          at: at.subarray(from, to),
          isKnown: isKnown(known, from, to),
          utilization: slice('utilization'),
          power: slice('power'),
          energy: slice('energy'),
        });
      }
    },
    addStretches: (widthMs, column) => {
      for (const [metric, accumulator] of values) {
        const columns = column(metric);
        if (columns === null) continue;
        for (const [from, to] of slicesOf(columns.start, ranges)) accumulator.addStretches(columns, from, to);
      }
      const use: UseStretches = {
        utilization: within(column('utilization'), ranges),
        power: within(column('power'), ranges),
        energy: within(column('energy'), ranges),
      };
      uses.push(useOfStretches(use, widthMs, below));
      hasStretches ||= Object.values(use).some((columns) => columns?.count.some((count) => count > 0));
    },
    finish: () => {
      const all = [useOfSamples(joined(samples), ranges, below), ...uses];
      const total = (part: 'belowMs' | 'lostMs' | 'joules') =>
        all.reduce<number | null>((sum, use) => (use[part] === null ? sum : (sum ?? 0) + use[part]), null);
      const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);
      const lengthMs = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
      const coveredMs = all.reduce((sum, use) => sum + use.coveredMs, 0);
      const joules = total('joules');
      const finished = [...values].map(([metric, accumulator]) => [metric, accumulator.finish()] as const);
      return {
        metrics: Object.fromEntries(finished.map(([metric, { approximate, ...statistics }]) => [metric, statistics])),
        secondsBelow: seconds(total('belowMs')),
        secondsLost: seconds(total('lostMs')),
        energyWh: joules === null ? null : joules / 3600,
        coverage: lengthMs === 0 ? null : Math.min(1, coveredMs / lengthMs),
        ...(hasStretches || finished.some(([, { approximate }]) => approximate) ? { approximate: true as const } : {}),
      };
    },
  };
};

/** The places of rising moments that lie in each of the ranges, as `[from, to)`. */
const slicesOf = (moments: Float64Array, ranges: readonly Range[]): [number, number][] =>
  ranges.flatMap(({ from, to }): [number, number][] => {
    const [first, end] = [firstFrom(moments, from), firstFrom(moments, to)];
    return first < end ? [[first, end]] : [];
  });

/** The place of the first moment that is not before this one. */
const firstFrom = (moments: Float64Array, moment: number): number => {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((moments[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The one sample that is exactly as far away counts too. */
const withMargins = (ranges: readonly Range[]): Range[] =>
  union(ranges.map(({ from, to }) => ({ from: from - WINDOW_MARGIN_MS, to: to + WINDOW_MARGIN_MS + 1 })));

/** 1 for each sample from..to of which anything is known. */
const isKnown = (columns: readonly Float64Array[], from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: to - from }, (_, i) =>
    Number(columns.some((column) => !Number.isNaN(column[from + i] ?? Number.NaN))),
  );

/** The stretches that begin in the ranges. */
const within = (columns: StretchColumns | null, ranges: readonly Range[]): StretchColumns | null => {
  if (columns === null) return null;
  const slices = slicesOf(columns.start, ranges);
  const cut = (column: Float64Array) => joinFloats(slices.map(([from, to]) => column.subarray(from, to)));
  return {
    start: cut(columns.start),
    count: cut(columns.count),
    sum: cut(columns.sum),
    min: cut(columns.min),
    max: cut(columns.max),
    increase: columns.increase === null ? null : cut(columns.increase),
    bins: columns.bins?.map(cut) ?? null,
  };
};

const joined = (pieces: readonly UseColumns[]): UseColumns => {
  const join = (of: 'utilization' | 'power' | 'energy') =>
    pieces.every((piece) => piece[of] === null)
      ? null
      : joinFloats(pieces.map((piece) => piece[of] ?? new Float64Array(piece.at.length).fill(Number.NaN)));
  const at = joinFloats(pieces.map((piece) => piece.at));
  return {
    at,
    isKnown: joinInto(
      new Uint8Array(at.length),
      pieces.map((piece) => piece.isKnown),
    ),
    utilization: join('utilization'),
    power: join('power'),
    energy: join('energy'),
  };
};

const joinFloats = (pieces: readonly Float64Array[]): Float64Array =>
  joinInto(new Float64Array(pieces.reduce((length, piece) => length + piece.length, 0)), pieces);

const joinInto = <T extends Float64Array | Uint8Array>(all: T, pieces: readonly T[]): T => {
  let length = 0;
  for (const piece of pieces) {
    all.set(piece, length);
    length += piece.length;
  }
  return all;
};
