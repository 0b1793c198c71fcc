import { HOUR_MS, MINUTE_MS } from './rollup.ts';

/** How finely something is kept. */
export type Tier = 'hours' | 'minutes' | 'samples';

/** What to read for a stretch of time, ms; `to` is exclusive. */
export type Piece = { readonly tier: Tier; readonly from: number; readonly to: number };

type Plan = {
  readonly from: number;
  readonly to: number;
  /** Rising; where buckets begin and end. */
  readonly edges: readonly number[];
  /** Nothing coarser is to be read. */
  readonly coarsest: Tier;
};

/**
 * Which tier answers which part of [from, to): the coarsest whose stretches lie within one bucket. What is left of a
 * bucket before and after its whole hours is of minutes, and before and after those of samples. The pieces rise, touch
 * each other and cover exactly [from, to): nothing is missing at a seam, nothing is counted twice.
 *
 * Short buckets that cut minutes (of 90 s, say) are of samples alone: the hour around them is decoded anyway.
 */
export const planPieces = ({ from, to, edges, coarsest }: Plan): readonly Piece[] => {
  const pieces: { tier: Tier; from: number; to: number }[] = [];
  const take = (tier: Tier, from: number, to: number): void => {
    const last = pieces.at(-1);
    if (last?.tier === tier) last.to = to;
    else pieces.push({ tier, from, to });
  };
  const split = (tier: Tier, from: number, to: number): void => {
    if (tier === 'samples') {
      take(tier, from, to);
      return;
    }
    const { widthMs, finer } = STRETCHES[tier];
    if (to - from < widthMs) {
      split(finer, from, to);
      return;
    }
    const first = Math.ceil(from / widthMs) * widthMs;
    const end = Math.floor(to / widthMs) * widthMs;
    if (first >= end) {
      split(finer, from, to);
      return;
    }
    if (from < first) split(finer, from, first);
    take(tier, first, end);
    if (end < to) split(finer, end, to);
  };

  for (let i = 1; i < edges.length; i++) {
    const start = edges[i - 1] ?? 0;
    const end = edges[i] ?? 0;
    if (end <= from || start >= to) continue;
    const cutsMinutes = start % MINUTE_MS !== 0 || end % MINUTE_MS !== 0;
    const tier = cutsMinutes && end - start < HOUR_MS ? 'samples' : coarsest;
    split(tier, Math.max(start, from), Math.min(end, to));
  }
  return pieces;
};

const STRETCHES = {
  hours: { widthMs: HOUR_MS, finer: 'minutes' },
  minutes: { widthMs: MINUTE_MS, finer: 'samples' },
} as const;
