import { Type } from 'typebox';
import { MomentSchema, nullable, type Static } from './schema.ts';

/** What of a GPU is told by run, epoch and so on; the same is kept of runs whose samples are gone. */
export const RUN_GPU_METRICS = [
  ...['utilization', 'memoryUtilization', 'memoryUsed', 'memoryTotal', 'runMemory'],
  ...['power', 'temperature', 'clockSm', 'pcieRx', 'pcieTx'],
];

/** Utilization, %, under which seconds are counted unless asked otherwise. */
export const USUAL_BELOW = 30;

const ValueStatisticsSchema = Type.Object({
  avg: nullable(Type.Number()),
  min: nullable(Type.Number()),
  max: nullable(Type.Number()),
  p5: nullable(Type.Number()),
  p50: nullable(Type.Number()),
  p95: nullable(Type.Number()),
  count: Type.Integer({ minimum: 0, description: 'samples with a value' }),
});

/** One GPU in one part of a run; how each is reckoned stands in `core/use-over-time.ts`. */
export const RunGpuSchema = Type.Object(
  {
    key: Type.Union([Type.String(), Type.Integer()], {
      description: "the run's id, the number of the attempt or epoch, the phase, or the day",
    }),
    attempt: Type.Optional(Type.Integer({ description: 'of an epoch: one logged again stands in two' })),
    gpu: Type.String({ description: 'gpu:0, gpu:UUID of a GPU that is not here any more, or import:RUN:0' }),
    from: MomentSchema,
    to: MomentSchema,
    metrics: Type.Record(Type.String(), ValueStatisticsSchema),
    secondsBelow: nullable(Type.Number({ description: 'seconds with utilization under `below`' })),
    secondsLost: nullable(
      Type.Number({ description: 'GPU-seconds lost: what utilization is short of 100 %, over time' }),
    ),
    energyWh: nullable(Type.Number()),
    coverage: nullable(Type.Number({ description: 'share of the time that samples stand for, 0 to 1' })),
    approximate: Type.Optional(
      Type.Literal(true, { description: 'the samples are not kept any more: from rollups of a minute or an hour' }),
    ),
  },
  { $id: 'RunGpu', description: 'One GPU in one part of a run' },
);
/** See {@link RunGpuSchema}. */
export type RunGpu = Static<typeof RunGpuSchema>;

/** A GPU that a run has used. `firstAt` and `lastAt` are those of an imported log; null: it is sampled here. */
export type UsedGpu = { readonly subject: string; readonly firstAt: number | null; readonly lastAt: number | null };
