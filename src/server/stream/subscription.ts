import { DURABLE_TOPICS, type DurableTopic, type StreamEvent, type Topic } from '../../core/ports.ts';
import type { Subscribe } from '../../core/stream.ts';

/** One topic that a client asked for, with what narrows it. */
export type Subscription = {
  readonly topic: Topic;
  readonly run: string | undefined;
  readonly gpu: number | undefined;
  /** Least time between two events of one subject, 0 for none. Durable topics do not look at it. */
  readonly everyMs: number;
};

/** One subscription per topic that was asked for. */
export const subscriptionsOf = ({ topics, run, gpu, maxHz }: Subscribe): readonly Subscription[] =>
  [...new Set(topics)].map((topic) => ({ topic, run, gpu, everyMs: maxHz === undefined ? 0 : 1000 / maxHz }));

/**
 * With `run` come events of that run only (those of a host belong to no run and come all the same);
 * with `gpu` no event comes that names another GPU.
 */
export const matches = (subscription: Subscription, event: StreamEvent): boolean =>
  subscription.topic === event.topic &&
  (subscription.run === undefined || subscription.run === event.run || event.topic === 'host') &&
  (subscription.gpu === undefined || subscription.gpu === event.gpu || event.gpu === null);

/** True for a topic whose events are in the store. */
export const isDurable = (topic: Topic): topic is DurableTopic => DURABLE_TOPICS.some((durable) => durable === topic);

/** The least that the store has to be asked for to serve these subscriptions: their topics, and their run if it is one. */
export const scopeOf = (
  subscriptions: readonly Subscription[],
): { readonly topics: readonly DurableTopic[]; readonly run: string | undefined } => {
  const wanted = subscriptions.filter(({ topic }) => isDurable(topic));
  const first = wanted[0]?.run;
  return {
    topics: DURABLE_TOPICS.filter((topic) => wanted.some((subscription) => subscription.topic === topic)),
    run: wanted.every(({ run }) => run === first) ? first : undefined,
  };
};
