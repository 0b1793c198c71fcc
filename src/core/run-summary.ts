import type { ObservedRun } from './batch.ts';
import { isActive, type Run } from './run.ts';
import { type RunProgress, secondsPerEpochOf } from './run-progress.ts';
import { judgeState, type StateFacts } from './run-state.ts';

/** What of a run folder is kept between looks (its rows are in the store). */
export type RunFacts = Omit<ObservedRun, 'rows'>;

/** Everything that a run is derived from. */
export type RunInput = {
  readonly id: string;
  readonly host: string;
  readonly facts: RunFacts;
  readonly progress: RunProgress;
  /** Rows kept out of this and all earlier result files of the run. */
  readonly rowsKeptOut: number;
  readonly watchedSince: number | null;
  readonly lost: StateFacts['lost'];
  readonly processes: StateFacts['processes'];
  readonly gpus: readonly string[];
  readonly pids: readonly number[];
  readonly now: number;
};

/** Derives the run that clients see. Pure: the same input gives the same run. Tags and notes are the store's. */
export const summarizeRun = (input: RunInput): Run => {
  const { facts, progress, now } = input;
  const { args } = facts;
  const { first, last, best, epochs } = progress;
  const epochBase = first === null || first.epoch > 1 ? null : first.epoch === 0 ? 0 : 1;
  const epochsPlanned = plannedEpochs(args);
  const secondsPerEpoch = secondsPerEpochOf(progress);
  const verdict = judgeState({
    progress,
    epochsDone: last !== null && epochBase !== null ? last.epoch - epochBase + 1 : epochs,
    epochsPlanned,
    args,
    activityAt: facts.activityAt,
    resultsPngAt: facts.resultsPngAt,
    secondsPerEpoch,
    watchedSince: input.watchedSince,
    lost: input.lost,
    processes: input.processes,
    now,
  });
  const active = isActive(verdict);
  const updatedAt = last?.at ?? facts.activityAt;
  return {
    id: input.id,
    name: facts.path.split('/').at(-1) ?? facts.path,
    path: facts.path,
    host: input.host,
    framework: frameworkOf(args),
    task: text(args?.task),
    model: text(args?.model) ?? text(args?.weights),
    state: verdict.state,
    stateReason: verdict.reason,
    stateEvidence: [...verdict.evidence],
    attempts: Math.max(1, progress.attempts),
    startedAt: startOf(progress, facts),
    updatedAt,
    endedAt: active ? null : updatedAt,
    epochs,
    epochsPlanned,
    epochBase,
    etaAt: active ? eta(progress, epochsPlanned, secondsPerEpoch) : null,
    secondsPerEpoch,
    imagesPerSecond: null,
    best: best === null ? null : { epoch: best.row.epoch, metrics: best.row.metrics },
    latest: last === null ? null : { epoch: last.epoch, metrics: last.metrics },
    args: args === null ? null : { ...args },
    gpus: [...input.gpus],
    pids: [...input.pids],
    rowsKeptOut: input.rowsKeptOut,
    tags: [],
    notes: '',
  };
};

/** With `time` the trainer rewrites `epochs` as it goes: then it is no target. */
const plannedEpochs = (args: RunFacts['args']): number | null =>
  typeof args?.epochs === 'number' && Number.isInteger(args.epochs) && args.epochs > 0 && !args.time
    ? args.epochs
    : null;

const eta = ({ last, epochs }: RunProgress, planned: number | null, secondsPerEpoch: number | null): number | null => {
  if (last === null || last.at === null || planned === null || secondsPerEpoch === null) return null;
  return Math.round(last.at + (planned - epochs) * secondsPerEpoch * 1000);
};

/** `args.yaml` is written first, but a resume rewrites it: the earliest trace that is left counts. */
const startOf = ({ first }: RunProgress, facts: RunFacts): number => {
  const byRows = first === null || first.at === null ? Infinity : Math.round(first.at - (first.elapsedS ?? 0) * 1000);
  return Math.min(byRows, facts.argsAt ?? Infinity, facts.activityAt);
};

/** Ultralytics writes `task` and `mode` into args.yaml; YOLOv5, v7 and v9 write `weights` and `hyp` into opt.yaml. */
const frameworkOf = (args: RunFacts['args']): string | null => {
  if (args === null) return null;
  if ('task' in args && 'mode' in args) return 'ultralytics';
  return 'weights' in args || 'hyp' in args ? 'yolov5' : null;
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
