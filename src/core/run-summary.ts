import type { ObservedRun } from './batch.ts';
import type { Fitness } from './fitness.ts';
import type { EpochRow, Run } from './run.ts';
import { judgeState, type StateFacts } from './run-state.ts';
import { median } from './statistics.ts';

/** What of a run folder is kept between looks (its rows are in the store). */
export type RunFacts = Omit<ObservedRun, 'rows'>;

/** Everything that a run is derived from. */
export type RunInput = {
  readonly id: string;
  readonly host: string;
  readonly facts: RunFacts;
  /** All rows, by attempt and epoch. */
  readonly rows: readonly EpochRow[];
  readonly fitness: Fitness;
  /** Rows kept out of this and all earlier result files of the run. */
  readonly rowsKeptOut: number;
  readonly watchedSince: number | null;
  readonly processes: StateFacts['processes'];
  readonly gpus: readonly string[];
  readonly pids: readonly number[];
  readonly now: number;
};

/** The last epochs that count for the pace: a run slows down when the mosaic closes or the disk fills. */
const PACE_EPOCHS = 20;

/** Derives the run that clients see. Pure: the same input gives the same run. Tags and notes are the store's. */
export const summarizeRun = (input: RunInput): Run => {
  const { facts, now } = input;
  const { args } = facts;
  const attempts = new Set(input.rows.map((row) => row.attempt));
  const rows = sinceRerun(input.rows);
  const first = input.rows[0];
  const last = rows.at(-1);
  const epochBase = first === undefined || first.epoch > 1 ? null : first.epoch === 0 ? 0 : 1;
  const epochsPlanned = plannedEpochs(args);
  const epochs = new Set(rows.map((row) => row.epoch)).size;
  const secondsPerEpoch = pace(rows);
  const verdict = judgeState({
    rows,
    fitness: input.fitness,
    epochsDone: last !== undefined && epochBase !== null ? last.epoch - epochBase + 1 : epochs,
    epochsPlanned,
    args,
    activityAt: facts.activityAt,
    resultsPngAt: facts.resultsPngAt,
    secondsPerEpoch,
    watchedSince: input.watchedSince,
    processes: input.processes,
    now,
  });
  const active = verdict.state === 'starting' || verdict.state === 'running' || verdict.state === 'stalled';
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
    attempts: Math.max(1, attempts.size),
    startedAt: startOf(input.rows, facts),
    updatedAt,
    endedAt: active ? null : updatedAt,
    epochs,
    epochsPlanned,
    epochBase,
    etaAt: active ? eta(last, epochs, epochsPlanned, secondsPerEpoch) : null,
    secondsPerEpoch,
    imagesPerSecond: null,
    best: bestOf(rows, input.fitness),
    latest: last === undefined ? null : { epoch: last.epoch, metrics: last.metrics },
    args: args === null ? null : { ...args },
    gpus: [...input.gpus],
    pids: [...input.pids],
    rowsKeptOut: input.rowsKeptOut,
    tags: [],
    notes: '',
  };
};

/** Rows of the latest attempt and of those that it resumed: from where the epoch last fell. */
const sinceRerun = (rows: readonly EpochRow[]): readonly EpochRow[] => {
  for (let i = rows.length - 1; i > 0; i--) {
    const row = rows[i];
    const before = rows[i - 1];
    if (row && before && row.attempt !== before.attempt && row.epoch < before.epoch) return rows.slice(i);
  }
  return rows;
};

/** With `time` the trainer rewrites `epochs` as it goes: then it is no target. */
const plannedEpochs = (args: RunFacts['args']): number | null =>
  typeof args?.epochs === 'number' && Number.isInteger(args.epochs) && args.epochs > 0 && !args.time
    ? args.epochs
    : null;

const pace = (rows: readonly EpochRow[]): number | null => {
  const seconds: number[] = [];
  for (let i = rows.length - 1; i > 0 && seconds.length < PACE_EPOCHS; i--) {
    const row = rows[i];
    const before = rows[i - 1];
    if (!row || !before || row.attempt !== before.attempt) continue;
    const steps = row.epoch - before.epoch;
    const elapsed =
      row.elapsedS !== null && before.elapsedS !== null
        ? row.elapsedS - before.elapsedS
        : row.at !== null && before.at !== null
          ? (row.at - before.at) / 1000
          : null;
    if (elapsed !== null && elapsed > 0 && steps > 0) seconds.push(elapsed / steps);
  }
  if (seconds.length > 0) return median(seconds);
  // One row alone: its own time since the start, which includes the start-up.
  return rows.length === 1 ? (rows[0]?.elapsedS ?? null) : null;
};

const eta = (
  last: EpochRow | undefined,
  epochs: number,
  planned: number | null,
  secondsPerEpoch: number | null,
): number | null => {
  if (last === undefined || last.at === null || planned === null || secondsPerEpoch === null) return null;
  return Math.round(last.at + (planned - epochs) * secondsPerEpoch * 1000);
};

const bestOf = (rows: readonly EpochRow[], fitness: Fitness): Run['best'] => {
  let best: EpochRow | null = null;
  let bestFitness = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const rating = fitness(row, 'weighted') ?? fitness(row, 'map');
    if (rating !== null && rating > bestFitness) {
      best = row;
      bestFitness = rating;
    }
  }
  return best === null ? null : { epoch: best.epoch, metrics: best.metrics };
};

/** `args.yaml` is written first, but a resume rewrites it: the earliest trace that is left counts. */
const startOf = (rows: readonly EpochRow[], facts: RunFacts): number => {
  const first = rows[0];
  const byRows =
    first !== undefined && first.at !== null ? Math.round(first.at - (first.elapsedS ?? 0) * 1000) : Infinity;
  return Math.min(byRows, facts.argsAt ?? Infinity, facts.activityAt);
};

/** Ultralytics writes `task` and `mode` into args.yaml; YOLOv5, v7 and v9 write `weights` and `hyp` into opt.yaml. */
const frameworkOf = (args: RunFacts['args']): string | null => {
  if (args === null) return null;
  if ('task' in args && 'mode' in args) return 'ultralytics';
  return 'weights' in args || 'hyp' in args ? 'yolov5' : null;
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
