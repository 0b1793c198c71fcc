import type { ObservedRun } from './batch.ts';
import { isActive, type Run } from './run.ts';
import type { StateFacts } from './run-facts.ts';
import { type RunFamily, runFamily } from './run-family.ts';
import { type RunProgress, secondsPerEpochOf } from './run-progress.ts';
import { judgeState } from './run-state.ts';
import type { StartEvent } from './trace.ts';

/** What of a run folder is kept between looks (its rows are in the store). */
export type RunFacts = Omit<ObservedRun, 'rows'>;

/** Everything that a run is derived from. */
export type RunInput = Pick<
  StateFacts,
  'progress' | 'watchedSince' | 'lost' | 'outputs' | 'process' | 'exit' | 'kernelKill' | 'now'
> & {
  readonly id: string;
  readonly host: string;
  readonly facts: RunFacts;
  /** Rows kept out of this and all earlier result files of the run. */
  readonly rowsKeptOut: number;
  readonly gpus: readonly string[];
  readonly pids: readonly number[];
};

/** Derives the run that clients see. Pure: the same input gives the same run. Tags and notes are the store's. */
export const summarizeRun = (input: RunInput): Run => {
  const { facts, progress } = input;
  const { args } = facts;
  const { first, last, best, epochs } = progress;
  const said = saidOf(input);
  const { family, framework, task } = runFamily({
    columns: first === null ? [] : Object.keys(first.metrics),
    hasTime: typeof first?.elapsedS === 'number',
    firstEpoch: first?.epoch ?? null,
    args,
    path: facts.path,
  });
  const epochBase = first === null ? null : epochBaseOf(first.epoch, family);
  const epochsPlanned = plannedEpochs(args) ?? facts.results?.epochsPlanned ?? said.epochsPlanned;
  const secondsPerEpoch = secondsPerEpochOf(progress);
  const verdict = judgeState({
    ...input,
    epochsDone: last !== null && epochBase !== null ? last.epoch - epochBase + 1 : epochs,
    epochsPlanned,
    args,
    argsAt: facts.argsAt,
    activityAt: facts.activityAt,
    resultsPngAt: facts.resultsPngAt,
    secondsPerEpoch,
  });
  const active = isActive(verdict);
  const updatedAt = last?.at ?? facts.activityAt;
  return {
    id: input.id,
    name: facts.path.split('/').at(-1) ?? facts.path,
    path: facts.path,
    host: input.host,
    framework: said.start?.framework ?? framework,
    task: task ?? said.start?.task ?? null,
    model: text(args?.model) ?? text(args?.weights) ?? text(args?.cfg) ?? said.start?.model ?? null,
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
    imagesPerSecond: imagesPerSecondOf(said.images, progress, secondsPerEpoch),
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

/** What the run's outputs say of it, the newest word on each. */
const saidOf = ({ outputs }: RunInput) => {
  const inOrder = outputs.toSorted(
    (a, b) => (b.facts.start?.t ?? b.writtenAt ?? 0) - (a.facts.start?.t ?? a.writtenAt ?? 0),
  );
  const starts = inOrder.flatMap(({ facts }) => facts.start ?? []);
  const start: Partial<StartEvent> = Object.assign({}, ...starts.toReversed());
  return {
    start,
    images: start.images ?? null,
    epochsPlanned: inOrder.find(({ facts }) => facts.epochsPlanned !== null)?.facts.epochsPlanned ?? null,
  };
};

/**
 * Whether the file counts its epochs from 0 or from 1. A file that begins in the middle shows it by its family alone:
 * only Ultralytics before 8.0.160, which counts from 0, resumed into a new folder.
 */
const epochBaseOf = (firstEpoch: number, family: RunFamily['family']): 0 | 1 | null => {
  if (firstEpoch <= 1) return firstEpoch === 0 ? 0 : 1;
  if (family === 'ultralytics') return 1;
  return family === 'ultralytics-8.0' || family?.startsWith('yolov5') || family?.startsWith('results-txt') ? 0 : null;
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

/** Of all the training, so that runs compare; without `time` in its rows, of the last epochs. */
const imagesPerSecondOf = (images: number | null, { rows, last }: RunProgress, secondsPerEpoch: number | null) => {
  if (images === null) return null;
  if (typeof last?.runElapsedS === 'number' && last.runElapsedS > 0) return (images * rows) / last.runElapsedS;
  return secondsPerEpoch === null ? null : images / secondsPerEpoch;
};

/** `args.yaml` is written first, but a resume rewrites it: the earliest trace that is left counts. */
const startOf = ({ first }: RunProgress, facts: RunFacts): number => {
  const byRows = first === null || first.at === null ? Infinity : Math.round(first.at - (first.elapsedS ?? 0) * 1000);
  return Math.min(byRows, facts.argsAt ?? Infinity, facts.activityAt);
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
