import type { Range, WindowQuery } from '../../core/ports.ts';
import {
  createWindowAccumulator,
  USE_METRICS,
  WINDOW_MARGIN_MS,
  type WindowStatistics,
} from '../../core/window-statistics.ts';
import type { StoredSubject } from './hot-rows.ts';
import type { Piece } from './plan.ts';
import { type Memory, type Parts, readPieces } from './read.ts';

/** Windows that statistics are wanted of; cloned on its way to the worker. */
export type StatisticsInput = {
  /** null: nothing of it is written yet. */
  readonly subject: StoredSubject | null;
  readonly query: WindowQuery;
  /** See {@link statisticsMetrics}. */
  readonly metrics: readonly string[];
  readonly memory: Memory;
};

/** All that must be read; `known` are those of the subject. */
export const statisticsMetrics = (query: WindowQuery, known: readonly string[]): readonly string[] =>
  [...new Set([...query.metrics, ...USE_METRICS])].filter((metric) => known.includes(metric));

/** Answers what the samples of each window come to, over one snapshot of the database. */
export const answerStatistics = (
  { subject, query, metrics, memory }: StatisticsInput,
  parts: Parts,
): readonly WindowStatistics[] => {
  return query.windows.map((ranges) => {
    const window = createWindowAccumulator({ metrics: query.metrics, ranges, below: query.below });
    readPieces({ subject, metrics, pieces: piecesOf(ranges), marginMs: 0, memory }, parts, {
      samples: window.addSamples,
      stretches: (widthMs, column) =>
        window.addStretches(widthMs, (metric) => (metrics.includes(metric) ? column(metric) : null)),
    });
    return window.finish();
  });
};

/** The samples of a window, with those near its edges that stand for a part of it; each once. */
export const piecesOf = (ranges: readonly Range[]): readonly Piece[] => {
  const pieces: { tier: 'samples'; from: number; to: number }[] = [];
  for (const range of ranges) {
    // The one sample that is exactly as far away counts too.
    const [from, to] = [range.from - WINDOW_MARGIN_MS, range.to + WINDOW_MARGIN_MS + 1];
    const last = pieces.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else pieces.push({ tier: 'samples', from, to });
  }
  return pieces;
};
