import { Type } from 'typebox';
import { MomentSchema, nullable, oneOf, type Static } from './schema.ts';

/** `starting`, `running` and `stalled` are active; the other four have ended. */
export const RUN_STATES = ['starting', 'running', 'stalled', 'finished', 'early_stopped', 'stopped', 'failed'] as const;

/** The states in which more rows may come. */
export const ACTIVE_RUN_STATES = ['starting', 'running', 'stalled'] as const;

export const RunStateSchema = oneOf(RUN_STATES);
export type RunState = Static<typeof RunStateSchema>;

/** What a metric was when it was not a finite number: JSON and SQLite can hold neither. */
export const NonFiniteSchema = oneOf(['nan', 'inf', '-inf']);
export type NonFinite = Static<typeof NonFiniteSchema>;

const MetricsSchema = Type.Record(Type.String(), nullable(Type.Number()), {
  description: "the trainer's own column names; null is not finite (see nonFinite) or not written",
});

/** One row of a result file. Key: (run, attempt, epoch). */
export const EpochRowSchema = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    epoch: Type.Integer({ description: 'as the file says it, 0- or 1-based (see epochBase of the run)' }),
    at: nullable(MomentSchema),
    atSource: nullable(oneOf(['mtime', 'time'])),
    elapsedS: nullable(Type.Number({ description: "the file's `time`: seconds since this attempt's start" })),
    runElapsedS: nullable(Type.Number({ description: 'seconds of training, cumulative over resumes' })),
    metrics: MetricsSchema,
    nonFinite: Type.Optional(Type.Record(Type.String(), NonFiniteSchema)),
  },
  { $id: 'EpochRow', description: 'One row of a result file' },
);
/** See {@link EpochRowSchema}. */
export type EpochRow = Static<typeof EpochRowSchema>;

/** `start` the first one, `resume` from a checkpoint, `rerun` from the beginning into the same folder. */
export const AttemptKindSchema = oneOf(['start', 'resume', 'rerun']);
export type AttemptKind = Static<typeof AttemptKindSchema>;

/** One process of a run. */
export const AttemptSchema = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    kind: AttemptKindSchema,
    firstEpoch: nullable(Type.Integer()),
    lastEpoch: nullable(Type.Integer()),
    epochs: Type.Integer({ description: 'rows of this attempt' }),
    startedAt: nullable(MomentSchema),
    endedAt: nullable(MomentSchema),
  },
  { $id: 'Attempt', description: 'One process of a run' },
);
/** See {@link AttemptSchema}. */
export type Attempt = Static<typeof AttemptSchema>;

const EpochMarkSchema = Type.Object({ epoch: Type.Integer(), metrics: MetricsSchema });

/** One training: one folder. */
export const RunSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String({ description: "the folder's own name" }),
    path: Type.String(),
    host: Type.String(),
    framework: nullable(Type.String()),
    task: nullable(Type.String()),
    model: nullable(Type.String()),
    state: RunStateSchema,
    stateReason: nullable(Type.String({ description: 'a short code, such as all_epochs_done' })),
    stateEvidence: Type.Array(Type.String(), { description: 'the lines or facts behind the state' }),
    attempts: Type.Integer(),
    startedAt: nullable(MomentSchema),
    updatedAt: nullable(MomentSchema),
    endedAt: nullable(MomentSchema),
    epochs: Type.Integer({ description: 'epochs done in the latest attempt, resumes counted through' }),
    epochsPlanned: nullable(Type.Integer()),
    epochBase: nullable(Type.Union([Type.Literal(0), Type.Literal(1)])),
    etaAt: nullable(MomentSchema),
    secondsPerEpoch: nullable(Type.Number({ description: 'median of the last epochs' })),
    imagesPerSecond: nullable(Type.Number({ description: 'training images, of all the training' })),
    best: nullable(EpochMarkSchema),
    latest: nullable(EpochMarkSchema),
    args: nullable(Type.Record(Type.String(), Type.Unknown())),
    gpus: Type.Array(Type.String(), { description: 'subjects, such as gpu:0' }),
    pids: Type.Array(Type.Integer()),
    rowsKeptOut: Type.Integer({ description: 'rows that did not parse: not in the series, nothing else is lost' }),
    tags: Type.Array(Type.String()),
    notes: Type.String(),
  },
  { $id: 'Run', description: 'One training: one folder' },
);
/** See {@link RunSchema}. */
export type Run = Static<typeof RunSchema>;

/** True while more rows may come. */
export const isActive = (run: { readonly state: RunState }): boolean =>
  run.state === 'starting' || run.state === 'running' || run.state === 'stalled';
