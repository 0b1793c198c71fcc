import type { DURABLE_TOPICS } from '../../../src/core/ports.ts';
import { type ServerFrame, TOPICS } from './frames.ts';

/** The one WebSocket of the dashboard: subscribes to everything, comes back by itself, misses nothing durable. */
export type Stream = { readonly close: () => void };

export type StreamDependencies = {
  readonly url: URL;
  readonly token: () => string | null;
  /** Runs before every attempt to connect; when it throws, the attempt counts as failed. */
  readonly prepare: () => Promise<void>;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onLive: () => void;
  readonly onAway: () => void;
};

const DURABLE: ReadonlySet<string> = new Set<(typeof DURABLE_TOPICS)[number]>(['runs', 'epochs', 'alerts']);
/** First and longest wait between two attempts to connect, in milliseconds. */
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [500, 15_000];
/** A connection on which nothing came for two of these, not even the answer to our ping, is dead. */
const PING_MS = 15_000;

export const openStream = (dependencies: StreamDependencies): Stream => {
  const { url, token, prepare, onFrame, onLive, onAway } = dependencies;
  let socket: WebSocket | null = null;
  let closed = false;
  let attempts = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let cursor: string | null = null;
  /** Durable topics whose first snapshot is still missing: before they are all in, a cursor would skip the rest. */
  let missing = new Set(DURABLE);
  let heard = true;

  const connect = async () => {
    clearTimeout(retry);
    retry = undefined;
    try {
      await prepare();
    } catch {
      lost();
      return;
    }
    if (closed) return;
    const secret = token();
    const opened = new WebSocket(url, ['signalbox.v1', ...(secret ? [`bearer.${secret}`] : [])]);
    socket = opened;
    opened.onmessage = ({ data }) => receive(JSON.parse(String(data)) as ServerFrame); // our own service's frames
    opened.onclose = lost;
  };

  const receive = (frame: ServerFrame) => {
    heard = true;
    switch (frame.op) {
      case 'welcome':
        attempts = 0;
        if (cursor === null) missing = new Set(DURABLE);
        socket?.send(
          JSON.stringify({ op: 'subscribe', topics: TOPICS, ...(cursor === null ? {} : { after: cursor }) }),
        );
        onFrame(frame);
        onLive();
        return;
      case 'reset':
        cursor = null;
        missing = new Set(DURABLE);
        onFrame(frame);
        return;
      case 'snapshot':
        onFrame(frame);
        missing.delete(frame.topic);
        if (missing.size === 0) cursor = frame.cursor;
        return;
      case 'event':
        if (missing.size === 0) cursor = frame.cursor;
        onFrame(frame);
        return;
      case 'subscribed':
      case 'pong':
      case 'lag':
      case 'error':
        onFrame(frame);
        return;
    }
  };

  const lost = () => {
    if (closed) return;
    drop();
    onAway();
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempts++);
    retry = setTimeout(connect, wait * (0.75 + Math.random() / 2));
  };

  /** Lets go of the socket without waiting for its farewell, which a dead network would never bring. */
  const drop = () => {
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    socket = null;
  };

  const watchdog = setInterval(() => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (!heard) {
      lost();
      return;
    }
    heard = false;
    socket.send(JSON.stringify({ op: 'ping' }));
  }, PING_MS);

  /** A person who looks again, or a network that is back, need not wait for the next attempt. */
  const hurry = () => {
    if (retry !== undefined && document.visibilityState === 'visible') void connect();
  };
  addEventListener('online', hurry);
  document.addEventListener('visibilitychange', hurry);

  void connect();
  return {
    close: () => {
      closed = true;
      drop();
      clearTimeout(retry);
      clearInterval(watchdog);
      removeEventListener('online', hurry);
      document.removeEventListener('visibilitychange', hurry);
    },
  };
};
