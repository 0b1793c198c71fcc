import type { Cause } from '../core/alert.ts';
import { mean, median } from '../core/statistics.ts';
import { closeWhenCalm, type EpochBoundary, longestIdleS, openBoundary, unknownBoundary } from './epoch-boundary.ts';
import { HANG_PARAMETERS, type HangLimits } from './hang-parameters.ts';
import { type HeldMemory, restarted } from './process-restart.ts';
import { epochLengthS, noRows, noteRow, type RowTimes } from './row-times.ts';
import { defineRule, type TickInput, type Verdict } from './rule.ts';
import { noteWork, notStarted, type TrainingStart } from './training-start.ts';
import { duration, significant } from './wording.ts';

/** One tick of a run: means over its GPUs, and what its host did. null: not known. */
type Reading = {
  readonly utilization: number;
  readonly power: number | null;
  readonly cpu: number | null;
  readonly diskBusy: number | null;
  readonly diskRead: number | null;
  readonly workersCpu: number | null;
};

type State = {
  lastAt: number | null;
  start: TrainingStart;
  memory: HeldMemory;
  rows: RowTimes;
  boundary: EpochBoundary;
  /** The last 15 ticks, oldest first. */
  recent: Reading[];
  /** Power of ticks at work, W, oldest first. */
  workPower: number[];
  /** Seconds that the GPU and the host have idled, that the GPU has been low, and that it has spun, without a break. */
  idleS: number;
  lowS: number;
  spinS: number;
};

const RECENT = 15;
const KEPT_POWER = 200;
const ENOUGH_POWER = 30;
/** A sample stands for at most this long: beyond it samples are missing. */
const LONGEST_SAMPLE_S = 5;

const newState = (): State => ({
  lastAt: null,
  start: notStarted(),
  memory: [],
  rows: noRows(),
  boundary: unknownBoundary(),
  recent: [],
  workPower: [],
  idleS: 0,
  lowS: 0,
  spinS: 0,
});

/**
 * A training that lives but does nothing: GPU, CPU and disk idle for longer than any pause between its epochs (`idle`),
 * the GPU says that it works but draws far too little power for it (`spin`: a deadlock of CUDA or NCCL), or its row is
 * long overdue with an idle GPU (`late`).
 */
export const hang = defineRule({
  id: 'hang',
  title: 'Training hangs',
  description:
    'The training lives but does nothing: GPU, CPU and disk idle beyond every pause between epochs, or the GPU spins at little power, or a row is long overdue while the GPU idles.',
  severity: ['critical'],
  subject: 'run',
  needs: ['gpu', 'host'],
  parameters: HANG_PARAMETERS,
  tracks: { hang: { hold: { ms: 0 }, keepFiring: { ms: 10_000 } } },
  init: newState,
  step: (state, input, limits) => {
    if (input.kind === 'epoch') {
      const began = input.transition === 'rerun' || input.transition === 'resume';
      return began && state.rows.rows > 0 ? [{ ...newState(), lastAt: state.lastAt }, {}] : [state, {}];
    }
    const reading = readingOf(input);
    if (reading === null) return [state, { hang: { kind: 'no-data', missing: ['utilization of the GPUs'] } }];
    const memory = meanOf(input, 'runMemory') ?? meanOf(input, 'memoryUsed');
    const isAnew = memory !== null && restarted(state.memory, memory, limits.restartShare);
    const next = isAnew ? { ...newState(), lastAt: state.lastAt, memory: state.memory } : state;
    take(next, input, reading, limits);
    return [next, { hang: judge(next, input, reading, limits) }];
  },
});

const take = (state: State, { at, rowWritten }: TickInput, reading: Reading, limits: HangLimits): void => {
  const sinceLastS = state.lastAt === null ? 0 : (at - state.lastAt) / 1000;
  const elapsedS = Math.min(sinceLastS, LONGEST_SAMPLE_S);
  state.lastAt = at;
  state.recent.push(reading);
  if (state.recent.length > RECENT) state.recent.shift();
  const { utilization, power } = reading;
  noteWork(state.start, at, elapsedS, utilization >= limits.workingUtilization);
  const isLow = utilization < limits.idleUtilization;
  if (rowWritten) {
    noteRow(state.rows, at, sinceLastS <= LONGEST_SAMPLE_S);
    openBoundary(state.boundary);
  }
  if (isLow && state.boundary.open) state.boundary.idleS += elapsedS;
  closeWhenCalm(state.boundary, at, elapsedS, isLow);

  state.lowS = isLow ? state.lowS + elapsedS : 0;
  const isQuiet =
    isKnownBelow(recent(state, 'cpu'), limits.idleCpu) &&
    isBelow(recent(state, 'diskBusy'), limits.idleDisk) &&
    isBelow(recent(state, 'diskRead'), limits.idleRead * 1e6);
  state.idleS = isLow && isQuiet ? state.idleS + elapsedS : 0;
  if (spins(state, limits)) state.spinS += elapsedS;
  else {
    state.spinS = 0;
    if (power !== null && utilization >= limits.workPowerUtilization) state.workPower.push(power);
    if (state.workPower.length > KEPT_POWER) state.workPower.shift();
  }
};

/** The GPU tells much work, but it draws far less power than this run's work did, and nobody feeds it. */
const spins = (state: State, limits: HangLimits): boolean => {
  if (state.recent.length < RECENT || state.workPower.length < ENOUGH_POWER) return false;
  const power = recent(state, 'power');
  const utilization = recent(state, 'utilization');
  return (
    utilization !== null &&
    utilization >= limits.spinUtilization &&
    power !== null &&
    power < limits.spinPowerShare * median(state.workPower) &&
    isKnownBelow(recent(state, 'cpu'), limits.idleCpu) &&
    isBelow(recent(state, 'workersCpu'), limits.spinWorkers)
  );
};

const judge = (state: State, input: TickInput, reading: Reading, limits: HangLimits): Verdict => {
  const longestS = longestIdleS(state.boundary);
  const idleNeedS = Math.max(limits.idleS, limits.boundaryFactor * longestS + 20);
  if (state.spinS >= limits.spinS) return breach('spin', state, reading, state.spinS);
  if (state.start.trainingSince !== null && state.idleS >= idleNeedS)
    return breach('idle', state, reading, state.idleS);
  const epochS = epochLengthS(state.rows);
  const waitedS = state.rows.lastAt === null ? 0 : (input.at - state.rows.lastAt) / 1000;
  const isLate = epochS !== null && waitedS > limits.lateFactor * epochS + limits.lateS;
  if (isLate && state.lowS > Math.max(60, 1.6 * longestS + 20)) return breach('late', state, reading, waitedS, epochS);
  if (reading.utilization >= limits.clearUtilization && state.spinS === 0) {
    return { kind: 'clear', result: 'the GPU works again' };
  }
  return { kind: 'between' };
};

type Kind = 'idle' | 'spin' | 'late';

const breach = (kind: Kind, state: State, reading: Reading, lengthS: number, epochS: number | null = null): Verdict => {
  const power = recent(state, 'power');
  const usualPower = state.workPower.length < ENOUGH_POWER ? null : median(state.workPower);
  return {
    kind: 'breach',
    severity: 'critical',
    title: 'Training hangs',
    problem: {
      idle: `GPU, CPU and disks have idled for ${duration(lengthS * 1000)}; the longest pause between epochs was ${duration(longestIdleS(state.boundary) * 1000)}.`,
      spin: `For ${duration(lengthS * 1000)} the GPU has told ${significant(reading.utilization)} % of work at ${rounded(power)} W, where this run usually draws ${rounded(usualPower)} W, and no dataloader works.`,
      late: `The last epoch ended ${duration(lengthS * 1000)} ago, an epoch usually takes ${duration((epochS ?? 0) * 1000)}, and the GPU idles.`,
    }[kind],
    evidence: [
      { name: 'GPU utilization', value: significant(reading.utilization), unit: '%' },
      {
        name: 'GPU power',
        value: rounded(power),
        unit: 'W',
        ...(usualPower !== null && { expected: rounded(usualPower) }),
      },
      { name: 'CPU', value: rounded(recent(state, 'cpu')), unit: '%' },
      { name: 'busiest disk', value: rounded(recent(state, 'diskBusy')), unit: '%' },
      { name: 'for', value: Math.round(lengthS), unit: 's' },
    ],
    cause: kind === 'spin' ? SPIN : IDLE,
    fix: kind === 'spin' ? SPIN_FIX : IDLE_FIX,
  };
};

const MISSING = ['state of the process and its threads', 'console log'];

const SPIN: Cause = {
  code: 'spin',
  text: 'A kernel waits in a loop for another process or GPU that does not come: a deadlock of NCCL or CUDA.',
  confidence: 0.8,
  signals: ['much utilization at little power'],
  missing: MISSING,
};
const IDLE: Cause = {
  code: 'idle',
  text: 'The training waits for something that does not come: a dataloader worker that died, a lock, a network file system.',
  confidence: 0.7,
  signals: ['GPU, CPU and disks idle'],
  missing: MISSING,
};
const SPIN_FIX = [
  'See where it waits: py-spy dump --pid PID (of every rank).',
  'Look for a rank that has died: nvidia-smi, and the console of each.',
  'Kill all ranks and go on from last.pt; set NCCL_DEBUG=INFO, and TORCH_NCCL_ASYNC_ERROR_HANDLING=1 so that it ends by itself.',
] as const;
const IDLE_FIX = [
  'See where it waits: py-spy dump --pid PID.',
  'Look for dataloader workers that are gone or in state D, and for an NFS server that does not answer.',
  'Kill it and go on from last.pt; with workers=0 it either goes on or says what is wrong.',
] as const;

/** The median of the last ticks; null where it was not known in most of them. */
const recent = ({ recent: readings }: State, name: keyof Reading): number | null => {
  const known = readings.flatMap((reading) => reading[name] ?? []);
  return known.length === 0 || known.length < readings.length / 2 ? null : median(known);
};

const isKnownBelow = (value: number | null, limit: number): boolean => value !== null && value < limit;
/** What is not known speaks neither way, so it does not stand against. */
const isBelow = (value: number | null, limit: number): boolean => value === null || value < limit;

const rounded = (value: number | null): number | null => value && significant(value);

const readingOf = (input: TickInput): Reading | null => {
  const utilization = meanOf(input, 'utilization');
  if (utilization === null) return null;
  const { cpu = null, diskBusy = null, diskRead = null, workersCpu = null } = input.host ?? {};
  return { utilization, power: meanOf(input, 'power'), cpu, diskBusy, diskRead, workersCpu };
};

/** Over the GPUs of the run that told it. */
const meanOf = ({ gpus }: TickInput, metric: string): number | null => {
  const known = (gpus ?? []).flatMap(({ values }) => values[metric] ?? []);
  return known.length > 0 ? mean(known) : null;
};
