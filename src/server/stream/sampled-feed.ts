import type { Cancel, Clock } from '../../core/clock.ts';
import type { StreamEvent, Topic } from '../../core/ports.ts';
import { frameEvent } from './frame.ts';
import type { Outlet } from './outlet.ts';
import { matches, type Subscription } from './subscription.ts';

/** Events of one client's sampled topics: the newest of each subject, no faster than it asked for and can take. */
export type SampledFeed = {
  readonly take: (event: StreamEvent, frame: () => Buffer) => void;
  /** Sends what is held, if the client can take it now. */
  readonly flush: () => void;
  readonly close: () => void;
};

type Parts = {
  readonly outlet: Outlet;
  /** The machine's clock: how often a client is written to is a matter of real seconds, in a fast demo too. */
  readonly wall: Clock;
  readonly subscriptions: () => readonly Subscription[];
  /** False while the client lacks durable events: a frame with a newer cursor would make it skip them. */
  readonly isLive: () => boolean;
  /** The cursor of the newest durable event. */
  readonly cursor: () => string;
};

type Held = { readonly event: StreamEvent; readonly dueAt: number };

/** Holds at most one event per subject. */
export const createSampledFeed = ({ outlet, wall, subscriptions, isLive, cursor }: Parts): SampledFeed => {
  const held = new Map<string, Held>();
  const sentAt = new Map<string, number>();
  const dropped = new Map<Topic, number>();
  let cancelTimer: Cancel | null = null;

  const canSend = () => isLive() && !outlet.isBehind();

  const arm = () => {
    cancelTimer?.();
    cancelTimer = null;
    if (held.size === 0) return;
    const dueAt = Math.min(...[...held.values()].map((entry) => entry.dueAt));
    cancelTimer = wall.after(Math.max(0, dueAt - wall.now()), flush);
  };

  const flush = () => {
    // What cannot be sent now is flushed when the socket has drained or the client is live.
    if (!canSend()) return;
    for (const [topic, count] of dropped) outlet.send({ op: 'lag', topic, dropped: count });
    dropped.clear();
    const now = wall.now();
    for (const [subject, { event, dueAt }] of held) {
      if (dueAt > now) continue;
      held.delete(subject);
      if (leastEveryMs(subscriptions(), event) === null) continue;
      sentAt.set(subject, now);
      outlet.write(frameEvent(event, cursor()));
    }
    arm();
  };

  return {
    take: (event, frame) => {
      const everyMs = leastEveryMs(subscriptions(), event);
      if (everyMs === null) return;
      if (everyMs === 0 && held.size === 0 && canSend()) {
        outlet.write(frame());
        return;
      }
      const subject = subjectOf(event);
      const now = wall.now();
      const dueAt = everyMs === 0 ? now : Math.max(now, (sentAt.get(subject) ?? 0) + everyMs);
      if (!canSend()) {
        if (held.has(subject)) dropped.set(event.topic, (dropped.get(event.topic) ?? 0) + 1);
        held.set(subject, { event, dueAt });
      } else if (dueAt > now) {
        held.set(subject, { event, dueAt });
        if (cancelTimer === null) arm();
      } else {
        held.delete(subject);
        if (everyMs > 0) sentAt.set(subject, now);
        outlet.write(frame());
      }
    },
    flush,
    close: () => cancelTimer?.(),
  };
};

/** How far apart the most eager of the subscriptions that an event fits wants its events; null when it fits none. */
const leastEveryMs = (subscriptions: readonly Subscription[], event: StreamEvent): number | null => {
  let least: number | null = null;
  for (const subscription of subscriptions) {
    if (!matches(subscription, event)) continue;
    if (least === null || subscription.everyMs < least) least = subscription.everyMs;
  }
  return least;
};

/** What an event replaces: the older one of the same thing. */
const subjectOf = ({ topic, run, gpu, data }: StreamEvent): string =>
  `${topic} ${gpu ?? ''} ${run ?? ''} ${'host' in data ? data.host : ''}`;
