import { Type } from 'typebox';
import { MomentSchema, nullable, type Static } from './schema.ts';

const AggregateSchema = Type.Array(nullable(Type.Number()), { description: 'null where the bucket holds no value' });

/** Columns of one metric, all as long as `t` of the history that holds them. */
export const SeriesColumnsSchema = Type.Object({
  avg: AggregateSchema,
  min: AggregateSchema,
  max: AggregateSchema,
  count: Type.Array(Type.Integer({ minimum: 0 }), { description: 'samples behind the bucket' }),
});

/** The history of one subject: buckets of `stepMs` that begin at multiples of it. `to` is exclusive. */
export const HistorySchema = Type.Object(
  {
    subject: Type.String({ description: 'gpu:0 or host:NAME' }),
    from: MomentSchema,
    to: MomentSchema,
    stepMs: Type.Integer({ minimum: 1 }),
    t: Type.Array(MomentSchema, { description: 'where each bucket begins' }),
    metrics: Type.Record(Type.String(), SeriesColumnsSchema),
  },
  { $id: 'History', description: 'Aggregates of some metrics over time, in columns' },
);
/** See {@link HistorySchema}. */
export type History = Static<typeof HistorySchema>;
