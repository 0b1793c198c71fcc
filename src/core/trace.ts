import { Type } from 'typebox';
import { NonFiniteSchema } from './run.ts';
import { MomentSchema, nullable, oneOf, type Static } from './schema.ts';

/** After it nobody trains: what is greater counts in other units, such as nanoseconds. */
const YEAR_2100 = 4_102_444_800_000;
/** A moment, or null where a line of an old log says nothing of its time. */
const t = nullable(Type.Integer({ ...MomentSchema, minimum: 0, maximum: YEAR_2100 }));
const Epoch = Type.Integer({ minimum: 0, maximum: 1e9, description: 'as the result file counts' });
const Count = Type.Integer({ minimum: 0, maximum: 1e12 });
const Amount = Type.Number({ minimum: 0, maximum: 1e15 });
const Text = Type.String({ maxLength: 4096 });

/** Values by name; JSON has no NaN, so what was not finite is a word. */
const Measures = Type.Record(
  Type.String({ maxLength: 256 }),
  Type.Union([Type.Number(), Type.Null(), NonFiniteSchema]),
);
const PerClass = Type.Optional(Measures);

/** A process of the training began. */
export const StartEventSchema = Type.Object({
  t,
  kind: Type.Literal('start'),
  pid: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
  host: Type.Optional(Text),
  framework: Type.Optional(
    Type.String({ maxLength: 256, description: 'name and version, such as ultralytics 8.3.199' }),
  ),
  task: Type.Optional(Text),
  model: Type.Optional(Text),
  parameters: Type.Optional(Count),
  images: Type.Optional(Type.Integer({ minimum: 0, maximum: 1e12, description: 'of the training set' })),
  instances: Type.Optional(Type.Record(Type.String({ maxLength: 256 }), Count)),
  epochs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e9, description: 'planned' })),
  batchSize: Type.Optional(Type.Integer({ minimum: -1, maximum: 1e9 })),
  rank: Type.Optional(Type.Integer({ minimum: -1, maximum: 1e6 })),
  worldSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e6 })),
});

/** One step (a training batch), or the mean of the last few. */
export const StepEventSchema = Type.Object({
  t,
  kind: Type.Literal('batch'),
  epoch: Epoch,
  batch: Type.Integer({ minimum: 0, maximum: 1e12, description: 'batches of this epoch that are done' }),
  batches: Type.Optional(Count),
  loss: Type.Optional(Measures),
  lossOver: Type.Optional(
    Type.Integer({ minimum: 1, description: 'batches that `loss` is the mean of; 1 when absent' }),
  ),
  dataS: Type.Optional(Amount),
  stepS: Type.Optional(Amount),
  reservedMib: Type.Optional(Amount),
  dropped: Type.Optional(Count),
});

/** Metrics by class after an epoch's validation; `final`: of the best checkpoint, after the last epoch. */
export const ClassesEventSchema = Type.Object({
  t,
  kind: Type.Literal('classes'),
  epoch: nullable(Epoch),
  final: Type.Optional(Type.Boolean()),
  images: PerClass,
  instances: PerClass,
  precision: PerClass,
  recall: PerClass,
  mAP50: PerClass,
  'mAP50-95': PerClass,
  'precision(M)': PerClass,
  'recall(M)': PerClass,
  'mAP50(M)': PerClass,
  'mAP50-95(M)': PerClass,
  'precision(P)': PerClass,
  'recall(P)': PerClass,
  'mAP50(P)': PerClass,
  'mAP50-95(P)': PerClass,
});

export const PHASES = ['start', 'train', 'val', 'save', 'between'] as const;

/** What the training does from now on. */
export const PhaseEventSchema = Type.Object({
  t,
  kind: Type.Literal('phase'),
  epoch: Epoch,
  phase: oneOf(PHASES),
});

export const END_REASONS = ['finished', 'early_stopped', 'interrupted', 'exception'] as const;

/** The training ended and said why. */
export const EndEventSchema = Type.Object({
  t,
  kind: Type.Literal('end'),
  reason: oneOf(END_REASONS),
  error: Type.Optional(Text),
  said: Type.Optional(Type.String({ maxLength: 4096, description: 'the words of an ending that is no error' })),
  code: Type.Optional(Type.String({ maxLength: 64, description: 'the state reason that the words stand for' })),
});

/** What is known of a run beside its result file. Open-ended: every argument of the trainer may be here. */
export const ArgsEventSchema = Type.Object({
  t,
  kind: Type.Literal('args'),
  epochs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e9 })),
  closeMosaic: Type.Optional(Type.Number()),
  lr0: Type.Optional(Type.Number()),
  lrf: Type.Optional(Type.Number()),
  cosLr: Type.Optional(Type.Boolean()),
  warmupEpochs: Type.Optional(Type.Number()),
});

/** One epoch, for a training that writes no result file here. */
export const EpochEventSchema = Type.Object({
  t,
  kind: Type.Literal('epoch'),
  epoch: Epoch,
  elapsedS: Type.Optional(nullable(Amount)),
  metrics: Measures,
});

/**
 * What a console line is known to mean. The first group ends a training when nothing follows (see EndEvent), the second
 * does not.
 */
export const LOG_CODES = [
  'cuda_out_of_memory',
  'dataloader_worker_died',
  'dataset_missing',
  'nan_loss',
  'shared_memory_full',
  'disk_full',
  'error_in_log',
  'interrupted',
  'early_stopping',
  'finished',
  'batch_halved',
  'nan_recovery',
  'thread_exception',
  'resumed',
  'mosaic_closed',
  'warning',
] as const;

/** One line of the console, without colours and redraws. */
export const LogEventSchema = Type.Object({
  t,
  kind: Type.Literal('log'),
  line: Type.String({ maxLength: 4096 }),
  code: Type.Optional(oneOf(LOG_CODES)),
});

/** Everything that a training says of itself, by the sidecar, on its console or by POST /ingest. */
export const RunEventSchema = Type.Union([
  StartEventSchema,
  StepEventSchema,
  ClassesEventSchema,
  PhaseEventSchema,
  EndEventSchema,
  ArgsEventSchema,
  EpochEventSchema,
  LogEventSchema,
]);
/** See {@link RunEventSchema}. */
export type RunEvent = Static<typeof RunEventSchema>;
export type StartEvent = Static<typeof StartEventSchema>;
export type StepEvent = Static<typeof StepEventSchema>;
export type ClassesEvent = Static<typeof ClassesEventSchema>;
export type PhaseEvent = Static<typeof PhaseEventSchema>;
export type EndEvent = Static<typeof EndEventSchema>;
export type EpochEvent = Static<typeof EpochEventSchema>;
export type LogEvent = Static<typeof LogEventSchema>;
export type LogCode = (typeof LOG_CODES)[number];
export type Phase = (typeof PHASES)[number];
