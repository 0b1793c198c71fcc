import { Type } from 'typebox';
import { MomentSchema, nullable, type Static } from './schema.ts';

/** What every bucket carries, so that a spike of one sample is visible however far one is away. */
export const USUAL_AGGREGATES = ['avg', 'min', 'max', 'count'] as const;
/** What is answered where it is asked for. `rate` is per second, of counters only. */
export const FURTHER_AGGREGATES = ['last', 'p5', 'p50', 'p95', 'rate'] as const;
export type FurtherAggregate = (typeof FURTHER_AGGREGATES)[number];

const AggregateSchema = Type.Array(nullable(Type.Number()), { description: 'null where the bucket holds no value' });

/** Columns of one metric, all as long as `t` of the history that holds them. */
export const SeriesColumnsSchema = Type.Object({
  avg: AggregateSchema,
  min: AggregateSchema,
  max: AggregateSchema,
  count: Type.Array(Type.Integer({ minimum: 0 }), { description: 'samples behind the bucket' }),
  last: Type.Optional(AggregateSchema),
  p5: Type.Optional(AggregateSchema),
  p50: Type.Optional(AggregateSchema),
  p95: Type.Optional(AggregateSchema),
  rate: Type.Optional(AggregateSchema),
  approximate: Type.Optional(
    Type.Literal(true, { description: 'percentiles come from bins of 5 percent: the samples are not kept any more' }),
  ),
});

/** The history of one subject: buckets of `stepMs` that begin at multiples of it, or by the clock of `zone`. `to` is exclusive. */
export const HistorySchema = Type.Object(
  {
    subject: Type.String({ description: 'gpu:0 or host:NAME' }),
    from: MomentSchema,
    to: MomentSchema,
    stepMs: Type.Integer({ minimum: 1 }),
    t: Type.Array(MomentSchema, { description: 'where each bucket begins' }),
    metrics: Type.Record(Type.String(), SeriesColumnsSchema),
    zone: Type.Optional(
      Type.String({ description: 'the time zone whose clock the buckets begin by, such as Europe/Berlin' }),
    ),
    absent: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'by metric.aggregate: why it is null where samples were taken, such as "power.p95"',
      }),
    ),
  },
  { $id: 'History', description: 'Aggregates of some metrics over time, in columns' },
);
/** See {@link HistorySchema}. */
export type History = Static<typeof HistorySchema>;
