import type { StoreReader, StreamEvent } from '../../core/ports.ts';
import { frameEvent } from './frame.ts';
import type { StreamLimits } from './limits.ts';
import type { Outlet } from './outlet.ts';
import { matches, type Subscription, scopeOf } from './subscription.ts';

/** Events of one client's durable topics, in cursor order, without gap or repeat. */
export type DurableFeed = {
  /** True when the client has everything up to the newest event; then events go straight out. */
  readonly isLive: () => boolean;
  /** The client knows everything up to this cursor, from a snapshot. Only while live. */
  readonly follow: (cursor: string) => void;
  /** `goOn` sends these subscriptions' events after a cursor that the store knows, then those of all. Only while live. */
  readonly replay: (joining: readonly Subscription[], after: string) => void;
  /** A new event; `frame` makes its frame, once for all clients. */
  readonly take: (event: StreamEvent, frame: () => Buffer) => void;
  /** Sends the next page of what is missed, unless the socket is full. */
  readonly goOn: () => void;
};

type Parts = {
  readonly store: StoreReader;
  readonly outlet: Outlet;
  readonly limits: StreamLimits;
  readonly subscriptions: () => readonly Subscription[];
  /** Calls {@link DurableFeed.goOn} after others had their turn. */
  readonly yieldTurn: () => void;
  /** What the client still lacks is no longer in the store. */
  readonly onLost: () => void;
};

/** Where a client stands that is not live. Up to `joinAt` only the subscriptions that are `joining` lack events. */
type CatchUp = {
  position: string;
  readonly joinAt: string;
  readonly joining: readonly Subscription[];
  /** Of the events that came meanwhile. */
  behindBytes: number;
};

const PAGE = 100;

/**
 * The store is the queue: while a client replays, or its socket is full, its events wait there and not in memory, and
 * are read page by page as the socket drains. Reading and publishing happen on one thread, so a client that has read
 * up to the store's newest event misses nothing by taking the next one live.
 */
export const createDurableFeed = (parts: Parts): DurableFeed => {
  const { store, outlet, limits } = parts;
  let catchUp: CatchUp | null = null;
  /** Events up to here were read from the store, though some may be published only now; null: none are left. */
  let knownUpTo: string | null = null;

  const isNewer = (cursor: string, than: string) => store.compareCursors(cursor, than) > 0;

  const fallBehind = (position: string, joining: readonly Subscription[], joinAt: string) => {
    catchUp = { position, joining, joinAt, behindBytes: 0 };
  };

  const sendPage = (from: CatchUp): 'more' | 'done' | 'lost' => {
    const page = store.eventsAfter(from.position, { ...scopeOf(parts.subscriptions()), limit: PAGE });
    if (page === null) return 'lost';
    for (const event of page.events) {
      const wanted = isNewer(event.cursor, from.joinAt) ? parts.subscriptions() : from.joining;
      if (wanted.some((subscription) => matches(subscription, event))) outlet.write(frameEvent(event, event.cursor));
    }
    from.position = page.scannedTo;
    return isNewer(store.cursor(), page.scannedTo) ? 'more' : 'done';
  };

  const goOn = (): void => {
    if (catchUp === null || !outlet.isOpen() || outlet.backlogBytes() > limits.highWaterBytes) return;
    const outcome = sendPage(catchUp);
    if (outcome === 'more') {
      parts.yieldTurn();
      return;
    }
    knownUpTo = outcome === 'done' ? catchUp.position : store.cursor();
    catchUp = null;
    if (outcome === 'lost') parts.onLost();
  };

  return {
    isLive: () => catchUp === null,
    follow: (cursor) => {
      knownUpTo = cursor;
    },
    replay: (joining, after) => fallBehind(after, joining, store.cursor()),
    take: (event, frame) => {
      if (!parts.subscriptions().some((subscription) => matches(subscription, event))) return;
      if (catchUp !== null) {
        catchUp.behindBytes += frame().length;
        if (catchUp.behindBytes > limits.maxBehindBytes) {
          outlet.close(1013, 'too far behind: come back with your cursor');
        }
        return;
      }
      if (knownUpTo !== null) {
        if (!isNewer(event.cursor, knownUpTo)) return;
        knownUpTo = null;
      }
      outlet.write(frame());
      if (outlet.backlogBytes() > limits.highWaterBytes) fallBehind(event.cursor, [], event.cursor);
    },
    goOn,
  };
};
