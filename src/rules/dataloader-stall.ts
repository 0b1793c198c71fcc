import { longestIdleS } from './epoch-boundary.ts';
import { compareWithEpochs, type EpochComparison } from './epoch-utilization.ts';
import { nameInputCause } from './input-cause.ts';
import { samplesOfPauses, samplesOfSlowWork } from './input-samples.ts';
import { epochLengthS } from './row-times.ts';
import { defineRule, type Verdict } from './rule.ts';
import {
  LONGEST_SAMPLE_S,
  newStallState,
  type StallReading,
  type StallState,
  takeEpoch,
  takeTick,
} from './stall-observation.ts';
import { STALL_PARAMETERS, type StallParameters } from './stall-parameters.ts';
import { describeStall } from './stall-report.ts';
import { lostS } from './starvation.ts';
import { percent } from './wording.ts';

/**
 * The GPU waits for data (RULES 4.1): one long pause in the middle of an epoch, many short ones, or a lower mean
 * utilization together with signs of a slow input. Where training may idle between two epochs is learned from the run.
 */
export const dataloaderStall = defineRule({
  id: 'dataloader_stall',
  title: 'Dataloader stall',
  description:
    'The GPU waits for data in the middle of an epoch: in one long pause, in many short ones, or a little all the time.',
  severity: ['info', 'warning', 'critical'],
  subject: 'run',
  needs: ['gpu', 'host'],
  parameters: STALL_PARAMETERS,
  tracks: { starved: { hold: { ms: 0 }, keepFiring: { ms: 120_000 }, cooldown: { ms: 30_000 } } },
  init: newStallState,
  step: (state, input, parameters) => {
    if (input.kind === 'epoch') {
      takeEpoch(state, input);
      return [state, {}];
    }
    const reading = takeTick(state, input, parameters);
    if (reading !== null) return [state, { starved: judge(state, reading, parameters) }];
    if (state.lastAt !== null && input.at - state.lastAt <= LONGEST_SAMPLE_S * 1000) return [state, {}];
    const missing = ['GPU utilization', ...(input.host === null ? ['host metrics'] : [])];
    return [state, { starved: { kind: 'no-data', missing } }];
  },
});

/** Slowed down by heat or power for more than 10 s of the last minute, the GPU itself explains a lower utilization. */
const SLOWED_SAMPLES = 10;
/** Shares of the usual utilization (of at least SLOW_USUAL %) below which a sample can tell the cause. */
const LOW_SHARE = 0.6;
const SLOW_SHARE = 0.8;
const SLOW_USUAL = 60;

const judge = (state: StallState, reading: StallReading, parameters: StallParameters): Verdict => {
  const { at, usual, idleBelow } = reading;
  const { training } = state;
  const { run, pauses } = training.starvation;
  const rowless = training.rows.rows === 0;

  const allowedS = allowedGapS(state, reading, parameters);
  const gapS = run?.idleS ?? 0;
  const stuck = training.start.trainingSince !== null && run !== null && run.samples >= 2 && gapS > allowedS;

  const lost = lostS(training.starvation) + (stuck && !run.inBoundary ? gapS : 0);
  const share = Math.max(0, lost / parameters.ratioWindowS - (rowless ? parameters.rowlessAllowance : 0));
  const pausing = share >= parameters.ratio && pauses.length >= 2;

  const drop = gapS > allowedS ? null : findDrop(state, reading, parameters);
  const dropCause =
    drop && nameInputCause(samplesOfSlowWork(state.samples, SLOW_SHARE * Math.max(usual, SLOW_USUAL)), parameters);
  const slowInput = dropCause !== null && dropCause.code !== 'other' && state.slowedAt.length <= SLOWED_SAMPLES;

  if (!stuck && !pausing && !slowInput) {
    if (drop || share >= parameters.ratioClear) return { kind: 'between' };
    return { kind: 'clear', result: `The GPU waits for data during ${percent(share)} of the time again.` };
  }
  training.epochs.stalled = true;
  const firstEpoch = rowless && at - (training.beganAt ?? at) < parameters.firstEpochS * 1000;
  const halved = slowInput && drop !== null && drop.mean < parameters.dropCritical * drop.usual;
  const severe = share >= parameters.ratioCritical || halved;
  const waiting = samplesOfPauses(state.samples, at, Math.max(idleBelow, LOW_SHARE * usual));
  return describeStall({
    severity: firstEpoch ? 'info' : severe ? 'critical' : 'warning',
    gap: stuck ? { seconds: gapS, allowedS, betweenEpochs: run.inBoundary } : null,
    pauses: pausing ? pauses : null,
    share,
    windowS: parameters.ratioWindowS,
    shareAllowed: parameters.ratio,
    drop: slowInput ? drop : null,
    cause: stuck || pausing || dropCause === null ? nameInputCause(waiting, parameters) : dropCause,
    run: reading.run,
    dropHoldS: parameters.dropHoldS,
  });
};

const allowedGapS = ({ training }: StallState, reading: StallReading, parameters: StallParameters): number => {
  if (reading.startingUp) return parameters.startupGapS;
  if (training.rows.rows === 0) return parameters.rowlessGapS;
  const { run, boundary } = training.starvation;
  if (!run?.inBoundary) return Math.max(parameters.gapS, parameters.gapPeriods * reading.elapsedS);
  const learnedS = parameters.boundaryFactor * longestIdleS(boundary) + parameters.boundaryMarginS;
  return Math.max(parameters.boundaryGapS, learnedS);
};

/** The mean utilization when it is much lower than in earlier epochs, else null. */
const findDrop = (
  { training, window }: StallState,
  { at }: StallReading,
  parameters: StallParameters,
): EpochComparison | null => {
  const epochS = epochLengthS(training.rows);
  if (epochS === null) return null;
  const now = { at, trainingBeganAt: training.beganAt ?? at, longestSampleS: LONGEST_SAMPLE_S };
  const comparison = compareWithEpochs(training.epochs, window, epochS, now);
  if (comparison === null) return null;
  const { mean, usual, deviation } = comparison;
  const lower = mean < parameters.dropShare * usual && mean < usual - parameters.dropDeviations * deviation;
  return lower ? comparison : null;
};
