import type { EpochRow } from '../core/run.ts';
import { learningRate } from './losses.ts';
import type { EpochInput, RunContext, Transition } from './rule.ts';

/** Where a run's rows have come to: what is needed to see the next change of regime. Plain JSON. */
export type Course = {
  readonly attempt: number;
  readonly epoch: number;
  readonly index: number;
  readonly lr: number | null;
  /** How many of the next rows still lie in the shadow of a transition. */
  readonly shadow: number;
  readonly sinceTransition: number | null;
};

/** One row as the rules get it, and the course after it. */
export type Step = {
  readonly course: Course;
  readonly seen: Pick<EpochInput, 'index' | 'transition' | 'masked' | 'sinceTransition'>;
};

/** The rows after a transition in which rules note but do not warn; after a restart of the learning rate one more. */
const SHADOW_ROWS = 2;
const LR_SHADOW_ROWS = 3;
/** A learning rate that rises by more than this factor after warm-up was restarted. */
const LR_JUMP = 1.5;
/** Ultralytics' own default. */
const WARMUP_EPOCHS = 3;

/**
 * Takes a run one row further. null: the row is not newer than the last one (a source repeats itself).
 * `course` is null before the first row.
 */
export const follow = (course: Course | null, row: EpochRow, run: RunContext): Step | null => {
  if (course && (row.attempt < course.attempt || (row.attempt === course.attempt && row.epoch <= course.epoch))) {
    return null;
  }
  const index = Math.max(1, row.epoch - (run.epochBase ?? 1) + 1);
  const lr = learningRate(row);
  const transition = transitionAt(course, row.attempt, index, lr, run);
  const before = transition === 'rerun' ? 0 : (course?.shadow ?? 0);
  const sinceTransition = transition ? 0 : course?.sinceTransition == null ? null : course.sinceTransition + 1;
  const ahead = transition === null ? 0 : transition === 'lr_jump' ? LR_SHADOW_ROWS : SHADOW_ROWS;
  return {
    course: { attempt: row.attempt, epoch: row.epoch, index, lr, shadow: Math.max(before - 1, ahead), sinceTransition },
    seen: { index, transition, masked: transition !== null || before > 0, sinceTransition },
  };
};

/** How many epochs the run is to have; null when nobody says. */
export const plannedEpochs = (run: RunContext): number | null => run.epochsPlanned ?? numeric(run, 'epochs');

/** How many rows a rule may look back without crossing a transition: unbounded when there was none. */
export const transitionFreeRows = (input: EpochInput): number => input.sinceTransition ?? Number.POSITIVE_INFINITY;

/** A numeric argument of the training; null where it is missing or not a number. */
export const numeric = (run: RunContext, name: string): number | null => {
  const value = run.args?.[name];
  return typeof value === 'number' ? value : null;
};

const transitionAt = (
  course: Course | null,
  attempt: number,
  index: number,
  lr: number | null,
  run: RunContext,
): Transition | null => {
  if (attempt !== (course?.attempt ?? 1)) return beginsAnew(course, index) ? 'rerun' : 'resume';
  if (course === null) return null;
  const warmup = numeric(run, 'warmup_epochs') ?? WARMUP_EPOCHS;
  if (index > warmup + 2 && course.lr !== null && course.lr > 0 && lr !== null && lr > LR_JUMP * course.lr) {
    return 'lr_jump';
  }
  const planned = plannedEpochs(run);
  const closeMosaic = numeric(run, 'close_mosaic');
  return planned !== null && closeMosaic && index === planned - closeMosaic + 1 ? 'close_mosaic' : null;
};

/** A resume may log its checkpoint's epoch again, so only a fall back to the first epochs is a new beginning. */
const beginsAnew = (course: Course | null, index: number): boolean =>
  index <= 3 && index <= Math.max(1, (course?.index ?? index + 3) - 3);
