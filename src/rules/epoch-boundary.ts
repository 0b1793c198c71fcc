import { median } from '../core/statistics.ts';

/**
 * The time between the training of two epochs (validation, metrics, checkpoint, loader restart), in which a GPU may
 * idle. Where no console tells the phases, it is learned: it begins shortly before the moment at which training was
 * last busy in earlier epochs, and ends when the GPU has worked without a pause for a while after the row.
 */
export type EpochBoundary = {
  /** A row was written (or nothing is known yet) and training does not run again so far. */
  open: boolean;
  /** Seconds without a pause since the row. */
  calmS: number;
  /** Seconds of idle GPU in the boundary that is going on. */
  idleS: number;
  /** Since when training runs, after the last boundary. */
  trainingSince: number | null;
  lastBusyAt: number | null;
  /** How long training was busy in the last epochs, seconds. */
  busyLengthsS: number[];
  /** Idle seconds of the last boundaries. */
  idleLengthsS: number[];
};

const CALM_S = 8;
const KEPT_EPOCHS = 10;
const KEPT_BOUNDARIES = 12;
/** The zone begins at this share of the usual busy length, and this many seconds before. */
const BUSY_SHARE = 0.95;
const EARLY_S = 5;
/** Idle seconds to reckon with before a boundary was seen to its end, and the most that are ever learned. */
const UNKNOWN_S = 30;
const LONGEST_S = 180;

export const unknownBoundary = (): EpochBoundary => ({
  open: true,
  calmS: 0,
  idleS: 0,
  trainingSince: null,
  lastBusyAt: null,
  busyLengthsS: [],
  idleLengthsS: [],
});

/** A row was written: the boundary is open until training runs again. */
export const openBoundary = (boundary: EpochBoundary): void => {
  const { trainingSince, lastBusyAt } = boundary;
  if (trainingSince !== null && lastBusyAt !== null && lastBusyAt > trainingSince) {
    boundary.busyLengthsS.push((lastBusyAt - trainingSince) / 1000);
    if (boundary.busyLengthsS.length > KEPT_EPOCHS) boundary.busyLengthsS.shift();
  }
  boundary.open = true;
  boundary.calmS = 0;
};

/** True where idling is not yet to be called a stall; always, while too little has been learned. */
export const insideBoundary = (boundary: EpochBoundary, at: number): boolean => {
  const { open, trainingSince, busyLengthsS } = boundary;
  if (open || trainingSince === null || busyLengthsS.length === 0) return true;
  return (at - trainingSince) / 1000 >= BUSY_SHARE * median(busyLengthsS) - EARLY_S;
};

/** A boundary that was seen to its end: its idle seconds, and those of a usual one; null when it was the first. */
export type ClosedBoundary = { readonly idleS: number; readonly usualS: number | null };

/** Counts the calm seconds after a row and, when training runs again, closes the boundary and learns from it. */
export const closeWhenCalm = (
  boundary: EpochBoundary,
  at: number,
  elapsedS: number,
  idle: boolean,
): ClosedBoundary | null => {
  if (!boundary.open) return null;
  boundary.calmS = idle ? 0 : boundary.calmS + elapsedS;
  if (boundary.calmS < CALM_S) return null;
  const { idleS, idleLengthsS } = boundary;
  const usualS = idleLengthsS.length > 0 ? median(idleLengthsS) : null;
  // A boundary far longer than any before is not learned: it would excuse the next stall.
  if (usualS === null || idleS < 2 * longestIdleS(boundary) + 10) {
    idleLengthsS.push(Math.min(Math.max(idleS, 0.5), LONGEST_S));
    if (idleLengthsS.length > KEPT_BOUNDARIES) idleLengthsS.shift();
  }
  boundary.open = false;
  boundary.idleS = 0;
  boundary.trainingSince = at - CALM_S * 1000;
  return { idleS, usualS };
};

/** Idle seconds of the longest boundary of late. */
export const longestIdleS = (boundary: EpochBoundary): number =>
  boundary.idleLengthsS.length > 0 ? Math.max(...boundary.idleLengthsS) : UNKNOWN_S;
