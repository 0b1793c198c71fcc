import { Type } from 'typebox';
import { NonFiniteSchema } from './run.ts';
import { MomentSchema, nullable, oneOf, type Static } from './schema.ts';
import { LOG_CODES } from './trace.ts';

const Values = Type.Record(Type.String(), nullable(Type.Number()));
const NonFinites = Type.Optional(Type.Record(Type.String(), NonFiniteSchema));

/** One step (a training batch) of a run, or the mean of the last few. */
export const StepSchema = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    epoch: Type.Integer(),
    batch: Type.Integer({ description: 'batches of this epoch that are done' }),
    batches: nullable(Type.Integer()),
    at: nullable(MomentSchema),
    loss: Values,
    nonFinite: NonFinites,
    lossOver: Type.Integer({ minimum: 1, description: 'batches that the loss is the mean of' }),
    dataS: nullable(Type.Number({ description: 'seconds a batch was waited for' })),
    stepS: nullable(Type.Number({ description: 'seconds a batch took' })),
    reservedMib: nullable(Type.Number({ description: 'what PyTorch holds reserved on the GPU, MiB' })),
  },
  { $id: 'Step', description: 'One step (a training batch), or the mean of the last few' },
);
/** See {@link StepSchema}. */
export type Step = Static<typeof StepSchema>;

/** The metrics of every class after one validation. */
export const ClassMetricsSchema = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    epoch: nullable(Type.Integer()),
    final: Type.Boolean({ description: 'of the best checkpoint, after the last epoch' }),
    at: nullable(MomentSchema),
    source: Type.String(),
    classes: Type.Array(Type.Object({ name: Type.String(), metrics: Values, nonFinite: NonFinites })),
  },
  { $id: 'ClassMetrics', description: 'The metrics of every class after one validation' },
);
/** See {@link ClassMetricsSchema}. */
export type ClassMetrics = Static<typeof ClassMetricsSchema>;

/** One line of a run's console. */
export const LogLineSchema = Type.Object(
  {
    at: nullable(MomentSchema),
    source: Type.String({ description: 'the log that it stands in' }),
    line: Type.String({ description: 'without colours and redraws' }),
    code: nullable(oneOf(LOG_CODES)),
  },
  { $id: 'LogLine', description: "One line of a run's console" },
);
/** See {@link LogLineSchema}. */
export type LogLine = Static<typeof LogLineSchema>;

/** From when on a run was in a phase. */
export type PhaseChange = {
  readonly attempt: number;
  readonly epoch: number;
  readonly phase: string;
  readonly at: number;
};
