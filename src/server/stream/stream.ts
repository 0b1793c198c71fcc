import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import type { Bus } from '../../core/bus.ts';
import type { Clock } from '../../core/clock.ts';
import type { StoreReader } from '../../core/ports.ts';
import type { ServiceFacts } from '../../core/service.ts';
import { createStreamClient, type StreamClient } from './client.ts';
import { frameEvent } from './frame.ts';
import type { StreamLimits } from './limits.ts';
import { createOutlet, type Outlet } from './outlet.ts';

/** All clients of the stream. */
export type Stream = {
  /** Takes over a connection that the door has let in; `socket` is the one below `ws`. */
  readonly accept: (ws: WebSocket, socket: Socket) => void;
  /** Says 1001 to every client and resolves when all are gone. */
  readonly close: () => Promise<void>;
};

type Parts = {
  readonly store: StoreReader;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly service: ServiceFacts;
  readonly limits: StreamLimits;
  readonly log: FastifyBaseLogger;
};

type Connection = {
  readonly ws: WebSocket;
  readonly outlet: Outlet;
  readonly client: StreamClient;
  readonly gone: Promise<void>;
  /** Pings that the peer has not answered. */
  unanswered: number;
};

/** How many pings a peer may miss. */
const MAX_UNANSWERED = 2;

/** Frames every event once and offers it to every client; what one client does never reaches another. */
export const createStream = ({ store, bus, clock, wall, service, limits, log }: Parts): Stream => {
  const connections = new Set<Connection>();

  const unsubscribe = bus.subscribe((event) => {
    let frame: Buffer | null = null;
    const frameOnce = () => {
      frame ??= frameEvent(event, event.cursor);
      return frame;
    };
    for (const { client, outlet } of connections) {
      try {
        client.take(event, frameOnce);
      } catch (err) {
        fail(outlet, err);
      }
    }
  });

  /** A failure in serving one client (a store that cannot be read, say) ends this client's connection, no more. */
  const fail = (outlet: Outlet, err: unknown) => {
    log.error({ err }, 'stream client failed');
    outlet.close(1011, 'the service could not go on; its log says why');
  };

  const accept = (ws: WebSocket, socket: Socket) => {
    const outlet = createOutlet({ ws, socket, wall, closeGraceMs: limits.closeGraceMs, onDrain: () => goOn() });
    let isTurnDue = false;
    const yieldTurn = () => {
      if (isTurnDue) return;
      isTurnDue = true;
      setImmediate(() => {
        isTurnDue = false;
        goOn();
      });
    };
    const client = createStreamClient({ store, clock, wall, limits, outlet, yieldTurn });
    const guard = (work: () => void) => {
      try {
        work();
      } catch (err) {
        fail(outlet, err);
      }
    };
    const goOn = () => guard(client.goOn);
    const gone = new Promise<void>((resolve) => ws.once('close', () => resolve()));
    const connection: Connection = { ws, outlet, client, gone, unanswered: 0 };
    connections.add(connection);

    ws.on('message', (data, isBinary) => guard(() => client.receive(isBinary ? '' : String(data))));
    ws.on('pong', () => {
      connection.unanswered = 0;
    });
    ws.once('close', () => {
      connections.delete(connection);
      client.close();
    });
    const { host, simulated } = service;
    outlet.send({ op: 'welcome', version: 1, host, cursor: store.cursor(), serverAt: clock.now(), simulated });
  };

  const ping = () => {
    for (const connection of connections) {
      if (connection.unanswered >= MAX_UNANSWERED) {
        connection.ws.terminate();
      } else if (connection.outlet.isOpen()) {
        connection.unanswered++;
        connection.ws.ping();
      }
    }
    cancelPing = wall.after(limits.pingEveryMs, ping);
  };
  let cancelPing = wall.after(limits.pingEveryMs, ping);

  return {
    accept,
    close: async () => {
      unsubscribe();
      cancelPing();
      for (const { outlet } of connections) outlet.close(1001, 'the service is stopping');
      const cancel = wall.after(limits.stopGraceMs, () => {
        for (const { ws } of connections) ws.terminate();
      });
      await Promise.all([...connections].map(({ gone }) => gone));
      cancel();
    },
  };
};
