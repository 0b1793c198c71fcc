import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../../core/clock.ts';
import { frameText } from './frame.ts';

/** The sending side of one connection. */
export type Outlet = {
  /** Sends one message. */
  readonly send: (message: object) => void;
  /** Sends a frame that was made once for all clients. */
  readonly write: (frame: Buffer) => void;
  /** Bytes that wait in this process because the peer does not read them. */
  readonly backlogBytes: () => number;
  /** The socket has more than it takes at once; `onDrain` is called when it has passed all of it on. */
  readonly isBehind: () => boolean;
  readonly isOpen: () => boolean;
  readonly close: (code: number, reason: string) => void;
};

type Parts = {
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly wall: Clock;
  readonly closeGraceMs: number;
  readonly onDrain: () => void;
};

/**
 * Writes frames straight to the socket that `ws` writes its control frames to. The two never mix within a frame: without
 * compression `ws` hands every frame to the socket whole and at once (its lib/sender.js), and after its close frame,
 * the last one allowed, it is no longer OPEN.
 */
export const createOutlet = ({ ws, socket, wall, closeGraceMs, onDrain }: Parts): Outlet => {
  const isOpen = () => ws.readyState === ws.OPEN;
  const write = (frame: Buffer) => {
    if (isOpen()) socket.write(frame);
  };
  socket.on('drain', onDrain);
  return {
    send: (message) => write(frameText(JSON.stringify(message))),
    write,
    backlogBytes: () => socket.writableLength,
    isBehind: () => socket.writableNeedDrain,
    isOpen,
    close: (code, reason) => {
      if (!isOpen()) return;
      ws.close(code, reason);
      // A peer that does not read would never take the close frame, and hold the socket.
      const cancel = wall.after(closeGraceMs, () => ws.terminate());
      ws.once('close', cancel);
    },
  };
};
