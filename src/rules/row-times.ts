import { median } from '../core/statistics.ts';

/** When a process of a run wrote its epoch rows, and how long its last epochs took. */
export type RowTimes = { rows: number; firstAt: number | null; lastAt: number | null; lengthsS: number[] };

const KEPT_LENGTHS = 15;
/** Two rows closer than this are one late delivery, not an epoch. */
const SHORTEST_EPOCH_S = 3;

export const noRows = (): RowTimes => ({ rows: 0, firstAt: null, lastAt: null, lengthsS: [] });

/** Takes a row that was written at `at`; `certain` says that the moment is known (no samples were missing around it). */
export const noteRow = (times: RowTimes, at: number, certain: boolean): void => {
  if (times.lastAt !== null) {
    const lengthS = (at - times.lastAt) / 1000;
    if (certain && lengthS > SHORTEST_EPOCH_S) times.lengthsS.push(lengthS);
    if (times.lengthsS.length > KEPT_LENGTHS) times.lengthsS.shift();
  }
  times.rows++;
  times.firstAt ??= at;
  times.lastAt = at;
};

/** The usual length of an epoch, from row to row, in seconds; null before two of them are known. */
export const epochLengthS = (times: RowTimes): number | null =>
  times.lengthsS.length >= 2 ? median(times.lengthsS) : null;
