import { createOffsetAt } from '../core/bucket-edges.ts';

/** Clocks are changed at quarters of an hour. */
const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

/**
 * The moments, ms since 1970 UTC, at which the clock of a zone shows a local time, earlier first: one, two in the hour
 * that is shown twice when the clock is set back, none in the one that is left out when it is set forward. `local` is
 * counted as if the clock showed UTC. Throws a RangeError on a zone that is not known.
 */
export const createLocalTime = (zone: string): ((local: number) => readonly number[]) => {
  const offsetAt = createOffsetAt(zone);
  let quarter = Number.NaN;
  let offsets: readonly number[] = [];
  return (local) => {
    const begin = Math.floor(local / QUARTER_MS) * QUARTER_MS;
    // A log is in order: its lines share their quarter of an hour.
    if (begin !== quarter) {
      const around = new Set([offsetAt(begin - DAY_MS), offsetAt(begin + DAY_MS)]);
      offsets = [...around].filter((offset) => offsetAt(begin - offset) === offset).sort((a, b) => b - a);
      quarter = begin;
    }
    return offsets.map((offset) => local - offset);
  };
};
