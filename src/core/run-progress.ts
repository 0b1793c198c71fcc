import { type FitnessDefinition, fitnessOf } from './fitness.ts';
import type { EpochRow } from './run.ts';
import { median } from './statistics.ts';

/** How the fitness went by one definition, in epochs, as EarlyStopping sees it. */
type Rating = {
  readonly best: number;
  readonly bestEpoch: number;
  /** Epochs without a better one at the last row, and the most at any row before it. */
  readonly wait: number;
  readonly longestWaitBefore: number;
};

/** What the rows of a run come to, without the rows: enough to summarize the run at every epoch at the same price. */
export type RunProgress = {
  readonly attempts: number;
  /** The first row of all. */
  readonly first: EpochRow | null;
  readonly last: EpochRow | null;
  /** Rows since the run last began anew, the epochs in them, and the highest of these. */
  readonly rows: number;
  readonly epochs: number;
  readonly highestEpoch: number | null;
  /** The row with the best fitness since the run last began anew. */
  readonly best: { readonly row: EpochRow; readonly fitness: number } | null;
  readonly ratings: Readonly<Record<FitnessDefinition, Rating | null>>;
  /** Seconds of the last epochs, newest last. */
  readonly pace: readonly number[];
};

/** The last epochs that count for the pace: a run slows down when the mosaic closes or the disk fills. */
const PACE_EPOCHS = 20;

export const NO_PROGRESS: RunProgress = {
  attempts: 0,
  first: null,
  last: null,
  rows: 0,
  epochs: 0,
  highestEpoch: null,
  best: null,
  ratings: { weighted: null, map: null },
  pace: [],
};

/** The progress after one more row; rows come in order of attempt and epoch. A new attempt at the first epoch is a new
 * beginning; one at a later epoch goes on from a checkpoint, and may write epochs again. */
export const proceed = (before: RunProgress, row: EpochRow): RunProgress => {
  const { last } = before;
  const newAttempt = last === null || row.attempt !== last.attempt;
  const anew = last !== null && newAttempt && row.epoch < last.epoch && row.epoch <= (before.first?.epoch ?? 0);
  const since = anew ? { ...NO_PROGRESS, first: before.first, attempts: before.attempts, last } : before;
  const fitness = fitnessOf(row.metrics, 'weighted') ?? fitnessOf(row.metrics, 'map');
  const seconds = secondsBetween(since.last, row);
  return {
    attempts: since.attempts + (newAttempt ? 1 : 0),
    first: since.first ?? row,
    last: row,
    rows: since.rows + 1,
    epochs: since.epochs + (since.highestEpoch === null || row.epoch > since.highestEpoch ? 1 : 0),
    highestEpoch: Math.max(since.highestEpoch ?? row.epoch, row.epoch),
    best:
      fitness !== null && fitness > (since.best?.fitness ?? Number.NEGATIVE_INFINITY) ? { row, fitness } : since.best,
    ratings: {
      weighted: rate(since.ratings.weighted, row, 'weighted'),
      map: rate(since.ratings.map, row, 'map'),
    },
    pace: seconds === null ? since.pace : [...since.pace.slice(1 - PACE_EPOCHS), seconds],
  };
};

/** Median seconds of the last epochs; of a single row its own time, which includes the start-up; null: not known. */
export const secondsPerEpochOf = ({ pace, rows, last }: RunProgress): number | null => {
  if (pace.length > 0) return median(pace);
  return rows === 1 ? (last?.elapsedS ?? null) : null;
};

/**
 * Replays Ultralytics' EarlyStopping: the best epoch when the last row is the one at which it stops, else null.
 * A fitness of 0 counts as an improvement (`fitness > best or best == 0`), so a run that learns nothing never stops.
 * Source: ultralytics/utils/torch_utils.py, `EarlyStopping`.
 */
export const stoppedEarlyAfter = ({ ratings }: RunProgress, patience: number): number | null => {
  for (const rating of [ratings.weighted, ratings.map]) {
    if (rating === null || patience <= 0) continue;
    if (rating.wait >= patience && rating.longestWaitBefore < patience) return rating.bestEpoch;
  }
  return null;
};

const rate = (before: Rating | null, { epoch, metrics }: EpochRow, definition: FitnessDefinition): Rating => {
  const fitness = fitnessOf(metrics, definition) ?? 0;
  const longestWaitBefore = Math.max(before?.longestWaitBefore ?? 0, before?.wait ?? 0);
  if (before === null || fitness > before.best || before.best === 0) {
    return { best: fitness, bestEpoch: epoch, wait: 0, longestWaitBefore };
  }
  return { ...before, wait: epoch - before.bestEpoch, longestWaitBefore };
};

const secondsBetween = (before: EpochRow | null, row: EpochRow): number | null => {
  if (before === null || row.attempt !== before.attempt || row.epoch <= before.epoch) return null;
  const seconds =
    row.elapsedS !== null && before.elapsedS !== null
      ? row.elapsedS - before.elapsedS
      : row.at !== null && before.at !== null
        ? (row.at - before.at) / 1000
        : 0;
  return seconds > 0 ? seconds / (row.epoch - before.epoch) : null;
};
