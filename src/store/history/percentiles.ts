import { createValueAccumulator, type ValueAccumulator } from '../../core/value-statistics.ts';
import type { PercentileColumns } from './buckets.ts';
import { placeFrom } from './moments.ts';
import type { Piece } from './plan.ts';
import type { Sink } from './read.ts';

/** What the percentiles of a metric come to that its buckets did not have of their own. */
export type Percentiles = {
  /** The samples that are to be read for it. */
  readonly pieces: readonly Piece[];
  readonly sink: Sink;
  /** Writes them into the columns. `approximate`: some are from bins; `isIncomplete`: some cannot be told any more. */
  readonly finish: () => { readonly approximate: boolean; readonly isIncomplete: boolean };
};

type Window = { readonly from: number; readonly to: number; readonly edges: readonly number[] };

/**
 * Percentiles of the buckets that hold values and are no stretch of a tier which has them: exact where the samples are
 * kept, else from bins.
 */
export const createPercentiles = (
  metric: string,
  columns: PercentileColumns & { readonly count: Float64Array },
  { from, to, edges }: Window,
): Percentiles => {
  const open: number[] = [];
  for (let i = 0; i < columns.count.length; i++) {
    if ((columns.count[i] ?? 0) > 0 && Number.isNaN(columns.p50[i])) open.push(i);
  }
  const starts = Float64Array.from(open, (i) => Math.max(from, edges[i] ?? from));
  const ends = open.map((i) => Math.min(to, edges[i + 1] ?? to));
  const accumulators = open.map(() => createValueAccumulator());

  /** Calls `add` with the places [first, end) of the moments that are in a bucket. */
  const spread = (moments: Float64Array, add: (bucket: ValueAccumulator, first: number, end: number) => void): void => {
    const [earliest = 0, latest = 0] = [moments[0], moments.at(-1)];
    let place = 0;
    for (let i = Math.max(0, placeFrom(starts, earliest) - 1); i < open.length; i++) {
      const [start = 0, end = 0, accumulator] = [starts[i], ends[i], accumulators[i]];
      if (start > latest || accumulator === undefined) return;
      while (place < moments.length && (moments[place] ?? 0) < start) place++;
      const first = place;
      while (place < moments.length && (moments[place] ?? 0) < end) place++;
      if (first < place) add(accumulator, first, place);
    }
  };

  const pieces: { tier: 'samples'; from: number; to: number }[] = [];
  for (const [i, start] of starts.entries()) {
    const last = pieces.at(-1);
    const end = ends[i] ?? start;
    if (last?.to === start) last.to = end;
    else pieces.push({ tier: 'samples', from: start, to: end });
  }

  return {
    pieces,
    sink: {
      samples: (at, column) => {
        const values = column(metric);
        if (values !== null) spread(at, (bucket, first, end) => bucket.addValues(values.subarray(first, end)));
      },
      stretches: (_widthMs, column) => {
        const stretches = column(metric);
        spread(stretches.start, (bucket, first, end) => bucket.addStretches(stretches, first, end));
      },
    },
    finish: () => {
      let approximate = false;
      let isIncomplete = false;
      for (const [i, accumulator] of accumulators.entries()) {
        const found = accumulator.finish();
        const bucket = open[i] ?? 0;
        columns.p5[bucket] = found.p5 ?? Number.NaN;
        columns.p50[bucket] = found.p50 ?? Number.NaN;
        columns.p95[bucket] = found.p95 ?? Number.NaN;
        approximate ||= found.approximate;
        isIncomplete ||= found.p50 === null;
      }
      return { approximate, isIncomplete };
    },
  };
};
