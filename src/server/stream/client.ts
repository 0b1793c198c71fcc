import type { Clock } from '../../core/clock.ts';
import type { StoreReader, StreamEvent } from '../../core/ports.ts';
import type { Subscribe } from '../../core/stream.ts';
import { createDurableFeed } from './durable-feed.ts';
import type { StreamLimits } from './limits.ts';
import { type Message, parseMessage } from './message.ts';
import type { Outlet } from './outlet.ts';
import { createSampledFeed } from './sampled-feed.ts';
import { readSnapshot } from './snapshot.ts';
import { isDurable, type Subscription, scopeOf, subscriptionsOf } from './subscription.ts';

/** One client of the stream: what it asked for, and where it stands. */
export type StreamClient = {
  readonly receive: (text: string) => void;
  readonly take: (event: StreamEvent, frame: () => Buffer) => void;
  /** Goes on with what had to wait: the socket has room again, or others had their turn. */
  readonly goOn: () => void;
  readonly close: () => void;
};

type Parts = {
  readonly store: StoreReader;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly limits: StreamLimits;
  readonly outlet: Outlet;
  readonly yieldTurn: () => void;
};

/** A client asks while it is live only: what it asks while it catches up waits, so that cursors never go back. */
export const createStreamClient = ({ store, clock, wall, limits, outlet, yieldTurn }: Parts): StreamClient => {
  let subscriptions: readonly Subscription[] = [];
  const waiting: string[] = [];
  let waitingBytes = 0;

  const sendSnapshots = (wanted: readonly Subscription[], cursor: string) => {
    for (const subscription of wanted) {
      const data = readSnapshot(store, subscription, clock.now());
      outlet.send({ op: 'snapshot', topic: subscription.topic, cursor, data });
    }
  };

  const durable = createDurableFeed({
    store,
    outlet,
    limits,
    subscriptions: () => subscriptions,
    yieldTurn,
    onLost: () => {
      outlet.send({ op: 'reset', reason: 'too far behind: the events in between are no longer kept' });
      sendSnapshots(
        subscriptions.filter(({ topic }) => isDurable(topic)),
        store.cursor(),
      );
    },
  });
  const sampled = createSampledFeed({
    outlet,
    wall,
    subscriptions: () => subscriptions,
    isLive: durable.isLive,
    cursor: store.cursor,
  });

  const subscribe = (asked: Subscribe) => {
    const { op: _, after, topics, ...filters } = asked;
    const joining = subscriptionsOf(asked);
    const others = subscriptions.filter((known) => !joining.some((subscription) => isSame(known, subscription)));
    if (others.length + joining.length > limits.maxSubscriptions) {
      outlet.send({ op: 'error', code: 'too_many', message: `at most ${limits.maxSubscriptions} subscriptions` });
      return;
    }
    subscriptions = [...others, ...joining];
    outlet.send({ op: 'subscribed', topics, ...filters });
    const replayed = joining.filter(({ topic }) => isDurable(topic));
    if (after !== undefined && store.eventsAfter(after, { ...scopeOf(replayed), limit: 1 }) !== null) {
      // These carry the client's own cursor: with a newer one it would skip what is replayed after them.
      sendSnapshots(
        joining.filter(({ topic }) => !isDurable(topic)),
        after,
      );
      if (replayed.length > 0) durable.replay(replayed, after);
      return;
    }
    if (after !== undefined) outlet.send({ op: 'reset', reason: `the cursor "${after}" is unknown or too old` });
    const cursor = store.cursor();
    sendSnapshots(joining, cursor);
    durable.follow(cursor);
  };

  const handle = (message: Message) => {
    switch (message.op) {
      case 'subscribe':
        return subscribe(message);
      case 'unsubscribe':
        subscriptions = subscriptions.filter(({ topic }) => !message.topics.includes(topic));
        return;
      case 'ping':
        return outlet.send({ op: 'pong' });
      case 'error':
        return outlet.send(message);
    }
  };

  const goOn = () => {
    for (;;) {
      durable.goOn();
      if (!durable.isLive() || outlet.isBehind() || !outlet.isOpen()) break;
      const text = waiting.shift();
      if (text === undefined) break;
      waitingBytes -= text.length;
      handle(parseMessage(text));
    }
    sampled.flush();
  };

  return {
    receive: (text) => {
      waiting.push(text);
      waitingBytes += text.length;
      if (waitingBytes > limits.maxWaitingBytes) outlet.close(1008, 'too many requests while behind');
      goOn();
    },
    take: (event, frame) => {
      if (isDurable(event.topic)) durable.take(event, frame);
      else sampled.take(event, frame);
    },
    goOn,
    close: sampled.close,
  };
};

const isSame = (a: Subscription, b: Subscription): boolean =>
  a.topic === b.topic && a.run === b.run && a.gpu === b.gpu && a.everyMs === b.everyMs;
