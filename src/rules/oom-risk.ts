import { type Severity, worse } from '../core/alert.ts';
import { addMemorySample, endBlock, type GpuMemory, newGpuMemory } from './gpu-memory.ts';
import { type MemoryGrowth, measureGrowth } from './memory-growth.ts';
import { OOM_PARAMETERS, type OomParameters } from './oom-parameters.ts';
import { describeGrowth, describeLevel } from './oom-report.ts';
import { epochLengthS, noRows, noteRow, type RowTimes } from './row-times.ts';
import { defineRule, type EpochInput, type RunContext, type TickInput, type Verdict } from './rule.ts';

/**
 * GPU memory runs out (RULES 4.3): by steady growth of its peaks from epoch to epoch (track `forecast`, with the time
 * that is left) or because it is nearly full after a rise (track `level`, which silences the forecast while it lasts).
 * Of several GPUs the worst is reported.
 */
export const oomRisk = defineRule({
  id: 'oom_risk',
  title: 'Out-of-memory risk',
  description: 'GPU memory grows from epoch to epoch and will be full before the run ends, or it is nearly full.',
  severity: ['info', 'warning', 'critical'],
  subject: 'run',
  needs: ['gpu'],
  parameters: OOM_PARAMETERS,
  tracks: {
    /** Evaluated when a block of samples ends, at most once an epoch. */
    forecast: { hold: { evaluations: 2 }, keepFiring: { evaluations: 6 } },
    level: { hold: { ms: 20_000 }, keepFiring: { ms: 120_000 } },
  },
  init: (): State => ({ lastAt: null, blockSince: null, rows: noRows(), epoch: null, gpus: {} }),
  step: (state, input, parameters) =>
    input.kind === 'epoch' ? [takeEpoch(state, input), {}] : [state, takeTick(state, input, parameters)],
});

type State = {
  lastAt: number | null;
  /** When the block of samples began that goes on, of all GPUs at once. */
  blockSince: number | null;
  rows: RowTimes;
  /** 1-based epoch of the last row. */
  epoch: number | null;
  gpus: Record<string, GpuMemory>;
};
type Verdicts = Partial<Record<'forecast' | 'level', Verdict>>;

/** A sample stands for at most this long: beyond it samples are missing. */
const LONGEST_SAMPLE_S = 5;

const takeEpoch = (state: State, { index, transition }: EpochInput): State => {
  state.epoch = index;
  if (transition !== 'rerun' && transition !== 'resume') return state;
  for (const [gpu, memory] of Object.entries(state.gpus)) {
    // Without a row since the last beginning, the fall of the memory has already told of this one.
    if (memory.rows > 0) state.gpus[gpu] = newGpuMemory();
  }
  return state;
};

const takeTick = (state: State, input: TickInput, parameters: OomParameters): Verdicts => {
  const { at, rowWritten, run } = input;
  const sinceLastS = state.lastAt === null ? 0 : (at - state.lastAt) / 1000;
  if (rowWritten) {
    noteRow(state.rows, at, sinceLastS <= LONGEST_SAMPLE_S);
    for (const memory of Object.values(state.gpus)) memory.rows++;
  }

  const judged: Judged[] = [];
  for (const { gpu, values } of input.gpus ?? []) {
    const elapsedS = Math.min(sinceLastS, LONGEST_SAMPLE_S);
    const memory = addMemorySample(state.gpus[gpu] ?? newGpuMemory(), values, at, elapsedS, parameters);
    if (memory === null) continue;
    state.gpus[gpu] = memory;
    judged.push({ gpu, memory });
  }
  if (judged.length === 0) {
    if (state.lastAt !== null && sinceLastS <= LONGEST_SAMPLE_S) return {};
    const missing: Verdict = { kind: 'no-data', missing: ['used and total memory of the GPUs'] };
    return { forecast: missing, level: missing };
  }
  state.lastAt = at;
  const level = worst(judged.map((one) => judgeLevel(one, parameters, run)));
  const ended = endBlocks(state, judged, at, rowWritten, parameters);
  if (ended.length === 0) return { level };
  const horizonS = horizon(state, parameters, run);
  return { level, forecast: worst(ended.map((one) => judgeGrowth(one, horizonS, parameters, run))) };
};

type Judged = { readonly gpu: string; readonly memory: GpuMemory };

const judgeLevel = ({ gpu, memory }: Judged, parameters: OomParameters, run: RunContext): Verdict => {
  const { used, total, others, usual, usualKnown } = memory;
  if (used < parameters.levelClear * total) {
    memory.full = false;
    return { kind: 'clear', result: `${gpu} uses ${Math.round((100 * used) / total)} % of its memory again.` };
  }
  if (!usualKnown || used < parameters.level * total) return { kind: 'between' };
  const rise = used - usual.used;
  memory.full ||= rise >= parameters.levelRise * total;
  if (memory.full && rise < parameters.levelRise * total) return { kind: 'between' };
  const othersRise = others === null || usual.others === null ? null : others - usual.others;
  return describeLevel({ gpu, used, total, rise, othersRise, rose: memory.full, parameters, run });
};

/** Ends the block of samples when it is old enough, and answers with the GPUs that had samples in it. */
const endBlocks = (
  state: State,
  judged: readonly Judged[],
  at: number,
  rowWritten: boolean,
  parameters: OomParameters,
): readonly Judged[] => {
  if (state.blockSince === null) {
    if (judged.some(({ memory }) => memory.peak !== null)) state.blockSince = at;
    return [];
  }
  const ageS = (at - state.blockSince) / 1000;
  if (ageS < (rowWritten ? parameters.blockShortestS : parameters.blockLongestS)) return [];
  const middleAt = (state.blockSince + at) / 2;
  state.blockSince = at;
  return judged.filter(({ memory }) => endBlock(memory, middleAt, parameters.skippedBlocks));
};

/** How far ahead a forecast matters, seconds: no further than the run is planned to last. */
const horizon = (state: State, parameters: OomParameters, run: RunContext): number => {
  const epochS = epochLengthS(state.rows);
  if (epochS === null || state.epoch === null || run.epochsPlanned === null) return parameters.horizonS;
  const remainingS = Math.max(0, run.epochsPlanned - state.epoch) * epochS;
  const wantedS = Math.max(parameters.horizonShortestS, parameters.remainingFactor * remainingS);
  return Math.min(parameters.horizonS, wantedS);
};

const judgeGrowth = (
  { gpu, memory }: Judged,
  horizonS: number,
  parameters: OomParameters,
  run: RunContext,
): Verdict => {
  if (memory.full) return { kind: 'between' };
  const { total } = memory;
  const blocks = memory.blocks.slice(-parameters.mostBlocks);
  const [first] = blocks;
  const { trainingSince } = memory.start;
  // Too few to speak of growth; and what grew in the process before this one is gone.
  if (first === undefined || trainingSince === null || blocks.length < parameters.fewestBlocks) {
    return { kind: 'clear', result: `${gpu}: a new process holds the memory.` };
  }
  const growth = measureGrowth(blocks, (first.at - trainingSince) / 1000);
  const roomBytes = parameters.fullShare * total - growth.now;
  const leaks =
    growth.z >= parameters.trend &&
    growth.bytes > parameters.growthShare * total &&
    !levelsOff(growth, parameters) &&
    growth.jumpShare < parameters.jumpShare &&
    growth.smallestSlope > 0 &&
    roomBytes / growth.smallestSlope < horizonS;
  if (leaks) {
    const leftS = Math.max(0, roomBytes / growth.slope);
    const sure = growth.z >= parameters.trendSure || leftS < 2 * parameters.criticalS;
    const severity: Severity = leftS < parameters.criticalS ? 'critical' : 'warning';
    return describeGrowth({ gpu, growth, blocks, total, leftS, severity, evaluations: sure ? 1 : 2, parameters, run });
  }
  const steady = growth.z < parameters.trendClear || growth.newestShare <= parameters.slowedClear;
  return steady ? { kind: 'clear', result: `The memory of ${gpu} grows no more.` } : { kind: 'between' };
};

/** Growth that slows down is not a leak: with the images with the most objects so far, memory peaks rise ever more rarely. */
const levelsOff = (growth: MemoryGrowth, parameters: OomParameters): boolean =>
  growth.logMisfit < parameters.logMisfit || growth.newestShare < parameters.slowedShare;

/** The verdict that weighs most: the severest breach, of equals the nearest; clear only when all are. */
const worst = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce((a, b) => {
    if (a.kind === 'breach' && b.kind === 'breach') {
      if (a.severity !== b.severity) return worse(a.severity, b.severity) === a.severity ? a : b;
      return (a.forecastS ?? 0) <= (b.forecastS ?? 0) ? a : b;
    }
    if (a.kind === 'breach' || b.kind === 'clear') return a;
    return b;
  });
