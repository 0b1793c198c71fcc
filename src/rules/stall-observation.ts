import { THROTTLE_BITS } from '../core/metrics.ts';
import { mean, median } from '../core/statistics.ts';
import { addToEpoch, type EpochUtilization, endEpoch, noEpochs } from './epoch-utilization.ts';
import { inputSample } from './input-cause.ts';
import { type InputSamples, keepInputSample } from './input-samples.ts';
import { type HeldMemory, restarted } from './process-restart.ts';
import { epochLengthS, noRows, noteRow, type RowTimes } from './row-times.ts';
import type { EpochInput, RunContext, TickInput } from './rule.ts';
import type { StallParameters } from './stall-parameters.ts';
import { noStarvation, observeIdling, type Starvation } from './starvation.ts';
import { noteWork, notStarted, type TrainingStart } from './training-start.ts';
import {
  emptyWindow,
  pushUtilization,
  type UtilizationWindow,
  utilizationQuantile,
  utilizationSince,
} from './utilization-window.ts';

/** What `dataloader_stall` remembers of a run. */
export type StallState = {
  lastAt: number | null;
  /** A row was written while no sample came. */
  rowMissed: boolean;
  window: UtilizationWindow;
  samples: InputSamples;
  /** When a GPU was slowed down by heat or power, in the last minute. */
  slowedAt: number[];
  memory: HeldMemory;
  training: Training;
};

/** What was learned of one training process. */
type Training = {
  beganAt: number | null;
  start: TrainingStart;
  rows: RowTimes;
  starvation: Starvation;
  epochs: EpochUtilization;
};

/** What the sample of one tick says in the light of those before. */
export type StallReading = {
  readonly at: number;
  readonly elapsedS: number;
  /** The usual utilization of training, %, and the one below which the GPU idles. */
  readonly usual: number;
  readonly idleBelow: number;
  /** No row so far, and training began only lately or not at all. */
  readonly startingUp: boolean;
  readonly run: RunContext;
};

/** A sample stands for at most this long: beyond it samples are missing, and the GPU may have worked. */
export const LONGEST_SAMPLE_S = 5;

const BUSY_WINDOW_S = 5;
/** Utilization (%) to reckon with until enough is sampled. */
const UNKNOWN_USUAL = 90;
const ENOUGH_SAMPLES = 30;
const SLOWED_WINDOW_MS = 60_000;
const SLOWED =
  THROTTLE_BITS.hw_slowdown |
  THROTTLE_BITS.sw_thermal_slowdown |
  THROTTLE_BITS.hw_thermal_slowdown |
  THROTTLE_BITS.hw_power_brake_slowdown;

export const newStallState = (): StallState => ({
  lastAt: null,
  rowMissed: false,
  window: emptyWindow(),
  samples: { recent: [], idle: [] },
  slowedAt: [],
  memory: [],
  training: newTraining(null),
});

/** A row of the run: what was learned of the process before is forgotten when another one wrote it. */
export const takeEpoch = (state: StallState, { transition }: EpochInput): void => {
  const began = transition === 'rerun' || transition === 'resume';
  // Without a row since the last beginning, the fall of the memory has already told of this one.
  if (began && state.training.rows.rows > 0) state.training = newTraining(state.lastAt);
};

/** Takes what was sampled; null when no GPU told its utilization, which says nothing about the time that passed. */
export const takeTick = (state: StallState, input: TickInput, parameters: StallParameters): StallReading | null => {
  const utilization = meanOf(input, 'utilization');
  if (utilization === null) {
    state.rowMissed ||= input.rowWritten;
    return null;
  }
  const { at, host, run } = input;
  const sinceLastS = state.lastAt === null ? 0 : (at - state.lastAt) / 1000;
  const elapsedS = Math.min(sinceLastS, LONGEST_SAMPLE_S);
  const rowWritten = input.rowWritten || state.rowMissed;
  state.lastAt = at;
  state.rowMissed = false;

  const memory = meanOf(input, 'runMemory') ?? meanOf(input, 'memoryUsed');
  if (memory !== null && restarted(state.memory, memory, parameters.restartShare)) state.training = newTraining(at);
  const { training } = state;
  training.beganAt ??= at;
  noteWork(training.start, at, elapsedS, utilization >= parameters.workingUtilization);
  const startingUp = isStartingUp(training, at, parameters.startupS);

  pushUtilization(state.window, at, utilization, parameters.utilizationWindowS);
  const usual = state.window.at.length > ENOUGH_SAMPLES ? utilizationQuantile(state.window, 0.75) : UNKNOWN_USUAL;
  const idleBelow = Math.max(parameters.idleUtilization, parameters.idleShare * usual);
  const idle = utilization < idleBelow;
  const lately = utilizationSince(state.window, at - BUSY_WINDOW_S * 1000, LONGEST_SAMPLE_S).values;
  const busy = median(lately) >= parameters.busyShare * usual;
  const paced = epochLengthS(training.rows) !== null;
  const counts = training.start.trainingSince !== null && !startingUp;
  observeIdling(training.starvation, { at, elapsedS, idle, busy, rowWritten, paced, counts }, parameters);
  keepInputSample(state.samples, inputSample(at, utilization, host), {
    idle,
    run: training.starvation.run,
    rowWritten,
  });
  addToEpoch(training.epochs, utilization, elapsedS);
  if (rowWritten) takeRow(training, at, sinceLastS <= LONGEST_SAMPLE_S);
  state.slowedAt = state.slowedAt.filter((slowedAt) => slowedAt > at - SLOWED_WINDOW_MS);
  if (input.gpus?.some(({ values }) => ((values.throttle ?? 0) & SLOWED) !== 0)) state.slowedAt.push(at);
  return { at, elapsedS, usual, idleBelow, startingUp, run };
};

const newTraining = (beganAt: number | null): Training => ({
  beganAt,
  start: notStarted(),
  rows: noRows(),
  starvation: noStarvation(),
  epochs: noEpochs(),
});

const isStartingUp = ({ rows, start }: Training, at: number, startupS: number): boolean =>
  rows.rows === 0 && (start.trainingSince === null || at - start.trainingSince < startupS * 1000);

const takeRow = ({ rows, epochs }: Training, at: number, certain: boolean): void => {
  endEpoch(epochs, rows.lastAt === null ? null : (at - rows.lastAt) / 1000);
  noteRow(rows, at, certain);
};

/** Over the GPUs of the run that told it. */
const meanOf = ({ gpus }: TickInput, metric: 'utilization' | 'runMemory' | 'memoryUsed'): number | null => {
  const known = (gpus ?? []).map(({ values }) => values[metric] ?? null).filter((value) => value !== null);
  return known.length > 0 ? mean(known) : null;
};
