import { type TSchema, Type } from 'typebox';
import { AlertSchema } from './alert.ts';
import { LogLineSchema, StepSchema } from './output.ts';
import { DURABLE_TOPICS, SAMPLED_TOPICS } from './ports.ts';
import { EpochRowSchema, RunSchema } from './run.ts';
import { GpuSampleSchema, HostSampleSchema } from './sample.ts';
import { MomentSchema, oneOf, type Static } from './schema.ts';
import { SimulatedSchema } from './service.ts';

/** Every topic of the stream. */
export const TOPICS = [...DURABLE_TOPICS, ...SAMPLED_TOPICS] as const;

const TopicSchema = oneOf(TOPICS);
const TopicsSchema = Type.Array(TopicSchema, { minItems: 1, maxItems: TOPICS.length });
const CursorSchema = Type.String({ description: 'opaque' });

/** What narrows a subscription: events about another run or another GPU, or more of them a second, do not come. */
const FILTERS = {
  run: Type.Optional(Type.String()),
  gpu: Type.Optional(Type.Integer({ minimum: 0 })),
  maxHz: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000, description: 'sampled topics, per subject' })),
};

/** Asks for topics; `after` for what was missed of the durable ones since that cursor. Subscriptions add up. */
export const SubscribeSchema = Type.Object(
  {
    op: Type.Literal('subscribe'),
    topics: TopicsSchema,
    ...FILTERS,
    after: Type.Optional(CursorSchema),
  },
  { additionalProperties: false },
);
/** See {@link SubscribeSchema}. */
export type Subscribe = Static<typeof SubscribeSchema>;

/** Ends every subscription of these topics. */
export const UnsubscribeSchema = Type.Object(
  { op: Type.Literal('unsubscribe'), topics: TopicsSchema },
  { additionalProperties: false },
);
/** See {@link UnsubscribeSchema}. */
export type Unsubscribe = Static<typeof UnsubscribeSchema>;

/** Answered with `pong`, after everything that was asked before it. */
export const PingSchema = Type.Object({ op: Type.Literal('ping') });

/** An epoch row as the stream carries it: with the run that it belongs to. */
export const RunEpochSchema = Type.Object({ run: Type.String(), ...EpochRowSchema.properties });
/** See {@link RunEpochSchema}. */
export type RunEpoch = Static<typeof RunEpochSchema>;

/** A step as the stream carries it: with the run that it belongs to. */
export const RunStepSchema = Type.Object({ run: Type.String(), ...StepSchema.properties });
/** See {@link RunStepSchema}. */
export type RunStep = Static<typeof RunStepSchema>;

/** A line of a console as the stream carries it: with the run that it belongs to. */
export const RunLogLineSchema = Type.Object({ run: Type.String(), ...LogLineSchema.properties });
/** See {@link RunLogLineSchema}. */
export type RunLogLine = Static<typeof RunLogLineSchema>;

const ITEMS = {
  runs: RunSchema,
  epochs: RunEpochSchema,
  batches: RunStepSchema,
  logs: RunLogLineSchema,
  alerts: AlertSchema,
  gpu: GpuSampleSchema,
  host: HostSampleSchema,
} as const;

const perTopic = (frame: (topic: string, item: TSchema) => TSchema) =>
  Type.Union(Object.entries(ITEMS).map(([topic, item]) => frame(topic, item)));

/** The first frame, at once on connecting. */
export const WelcomeSchema = Type.Object({
  op: Type.Literal('welcome'),
  version: Type.Literal(1),
  host: Type.String(),
  cursor: CursorSchema,
  serverAt: MomentSchema,
  simulated: SimulatedSchema,
});

/** What was subscribed, as it was understood. */
export const SubscribedSchema = Type.Object({ op: Type.Literal('subscribed'), topics: TopicsSchema, ...FILTERS });

/** What is known of a topic as of `cursor`; events follow. */
export const SnapshotSchema = perTopic((topic, item) =>
  Type.Object({
    op: Type.Literal('snapshot'),
    topic: Type.Literal(topic),
    cursor: CursorSchema,
    data: Type.Array(item),
  }),
);

/** One thing that happened; `at` is when it was published. */
export const EventSchema = perTopic((topic, item) =>
  Type.Object({
    op: Type.Literal('event'),
    topic: Type.Literal(topic),
    cursor: CursorSchema,
    at: MomentSchema,
    data: item,
  }),
);

/** So many older values of a sampled topic were passed over because the client was behind. */
export const LagSchema = Type.Object({
  op: Type.Literal('lag'),
  topic: TopicSchema,
  dropped: Type.Integer({ minimum: 1 }),
});

/** The cursor given as `after` is unknown or too old: snapshots follow. */
export const ResetSchema = Type.Object({ op: Type.Literal('reset'), reason: Type.String() });

/** A frame that could not be taken; the connection stays. */
export const StreamErrorSchema = Type.Object({
  op: Type.Literal('error'),
  code: oneOf(['bad_json', 'unknown_op', 'unknown_topic', 'bad_field', 'too_many']),
  message: Type.String(),
});
/** See {@link StreamErrorSchema}. */
export type StreamErrorCode = Static<typeof StreamErrorSchema>['code'];

/** The answer to `ping`. */
export const PongSchema = Type.Object({ op: Type.Literal('pong') });
