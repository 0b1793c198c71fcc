import type { ObservedRow } from '../../core/batch.ts';
import type { ResultValues } from './row.ts';

/** Where a row stands in its file: how often the file started over before it, and how its attempt began. */
export type FileAttempt = Pick<ObservedRow, 'fileAttempt' | 'fileAttemptKind'>;

/**
 * Tells the attempts of one file apart, row by row in file order. The epoch falling is a re-run appended to the same
 * file (Ultralytics before 8.3.213 with `exist_ok`). `time` falling while the epoch rises or repeats is a resume: it
 * counts from the start of the process. Without `time` only a repeated epoch shows a resume. The first epoch of all
 * written again is a re-run: before it there was no checkpoint to resume from.
 */
export const createAttemptSplitter = (): ((row: ResultValues) => FileAttempt) => {
  let last: ResultValues | null = null;
  let firstEpoch: number | null = null;
  let current: FileAttempt = { fileAttempt: 0, fileAttemptKind: 'start' };
  return (row) => {
    firstEpoch ??= row.epoch;
    const kind = last && startsOver(last, row);
    if (kind) {
      const fromTheBeginning = row.epoch === firstEpoch && row.epoch <= 1;
      current = { fileAttempt: current.fileAttempt + 1, fileAttemptKind: fromTheBeginning ? 'rerun' : kind };
    }
    last = row;
    return current;
  };
};

const startsOver = (last: ResultValues, row: ResultValues): 'resume' | 'rerun' | null => {
  if (row.epoch < last.epoch) return 'rerun';
  if (last.elapsedS !== null && row.elapsedS !== null) return row.elapsedS < last.elapsedS ? 'resume' : null;
  return row.epoch === last.epoch ? 'resume' : null;
};
