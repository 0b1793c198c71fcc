import { sum } from '../core/statistics.ts';
import { closeWhenCalm, type EpochBoundary, insideBoundary, openBoundary, unknownBoundary } from './epoch-boundary.ts';
import type { ParameterValues } from './rule.ts';

/**
 * The time in which a GPU had nothing to do although training should have run: runs of idle samples, of which those
 * in the boundary between two epochs are expected and the others are pauses.
 */
export type Starvation = {
  boundary: EpochBoundary;
  run: IdleRun | null;
  /** Ended so lately that a row which is delivered late may still make them a part of the boundary. */
  waiting: Pause[];
  /** Of the last minutes, oldest first. */
  pauses: Pause[];
};

/** Idle samples in a row; `workingS` are the seconds since the last of them. */
export type IdleRun = { sinceAt: number; idleS: number; samples: number; workingS: number; inBoundary: boolean };
/** An idle run outside the boundary, or the part of a boundary that is beyond the usual. */
export type Pause = { endedAt: number; idleS: number };

/** One sample as this sees it. `elapsedS` is the time that it stands for. */
export type IdleSample = {
  readonly at: number;
  readonly elapsedS: number;
  readonly idle: boolean;
  readonly busy: boolean;
  readonly rowWritten: boolean;
  /** The length of an epoch is known, so that the zone of the boundary can be too. */
  readonly paced: boolean;
  /** Training has begun: pauses count. */
  readonly counts: boolean;
};

export const STARVATION_PARAMETERS = {
  bridgeS: {
    default: 3,
    minimum: 0,
    maximum: 30,
    unit: 's',
    description: 'Work shorter than this does not end an idle run.',
  },
  lateRowS: {
    default: 20,
    minimum: 0,
    maximum: 120,
    unit: 's',
    description: 'An idle run that ends at most this long before a row belongs to the boundary between epochs.',
  },
  ratioWindowS: {
    default: 300,
    minimum: 60,
    maximum: 3600,
    unit: 's',
    description: 'Window over which pauses are summed.',
  },
  boundaryFactor: {
    default: 1.6,
    minimum: 1,
    maximum: 10,
    unit: '',
    description: 'A boundary between epochs may idle this many times as long as learned, plus boundaryMarginS.',
  },
  boundaryMarginS: { default: 8, minimum: 0, maximum: 120, unit: 's', description: 'See boundaryFactor.' },
} as const;

const SHORTEST_USUAL_S = 3;
const SMALLEST_EXCESS_S = 5;

export const noStarvation = (): Starvation => ({ boundary: unknownBoundary(), run: null, waiting: [], pauses: [] });

/** Takes a sample. */
export const observeIdling = (
  state: Starvation,
  sample: IdleSample,
  parameters: ParameterValues<typeof STARVATION_PARAMETERS>,
): void => {
  const { boundary } = state;
  const { at, elapsedS, idle, counts } = sample;
  if (sample.busy) boundary.lastBusyAt = at;
  if (sample.rowWritten) takeRow(state, at, parameters.lateRowS);
  const inBoundary = !sample.paced || insideBoundary(boundary, at);
  followRun(state, sample, inBoundary, parameters.bridgeS);

  const settled = at - parameters.lateRowS * 1000;
  while (state.waiting[0] !== undefined && state.waiting[0].endedAt < settled) {
    const pause = state.waiting.shift();
    if (pause !== undefined) state.pauses.push(pause);
  }
  const closed = closeWhenCalm(boundary, at, elapsedS, idle || state.run !== null);
  if (closed?.usualS != null && counts) {
    const { boundaryFactor, boundaryMarginS } = parameters;
    const excessS = closed.idleS - (boundaryFactor * Math.max(closed.usualS, SHORTEST_USUAL_S) + boundaryMarginS);
    if (excessS > SMALLEST_EXCESS_S) state.pauses.push({ endedAt: at, idleS: excessS });
  }
  const oldest = at - parameters.ratioWindowS * 1000;
  while ((state.pauses[0]?.endedAt ?? at) < oldest) state.pauses.shift();
};

/** Seconds lost in the pauses of the window. */
export const lostS = (state: Starvation): number => sum(state.pauses.map((pause) => pause.idleS));

const takeRow = (state: Starvation, at: number, lateRowS: number): void => {
  openBoundary(state.boundary);
  for (const pause of state.waiting) {
    if (at - pause.endedAt <= lateRowS * 1000) state.boundary.idleS += pause.idleS;
    else state.pauses.push(pause);
  }
  state.waiting = [];
  if (state.run !== null) state.run.inBoundary = true;
};

const followRun = (state: Starvation, sample: IdleSample, inBoundary: boolean, bridgeS: number): void => {
  const { at, elapsedS, idle, counts } = sample;
  if (idle) {
    state.run ??= { sinceAt: at, idleS: 0, samples: 0, workingS: 0, inBoundary };
    state.run.idleS += elapsedS;
    state.run.samples++;
    state.run.workingS = 0;
    return;
  }
  const { run } = state;
  if (run === null) return;
  run.workingS += elapsedS;
  if (run.workingS < bridgeS) return;
  if (run.inBoundary) state.boundary.idleS += run.idleS;
  else if (counts && run.samples >= 2) state.waiting.push({ endedAt: at, idleS: run.idleS });
  state.run = null;
};
