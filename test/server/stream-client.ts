import assert from 'node:assert';
import { once } from 'node:events';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type ClientOptions, WebSocket } from 'ws';
import {
  EventSchema,
  LagSchema,
  PongSchema,
  ResetSchema,
  SnapshotSchema,
  StreamErrorSchema,
  SubscribedSchema,
  WelcomeSchema,
} from '../../src/core/stream.ts';

const VALIDATORS = Object.fromEntries(
  Object.entries<TSchema>({
    welcome: WelcomeSchema,
    subscribed: SubscribedSchema,
    snapshot: SnapshotSchema,
    event: EventSchema,
    lag: LagSchema,
    reset: ResetSchema,
    error: StreamErrorSchema,
    pong: PongSchema,
  }).map(([op, schema]) => [op, Compile(schema)]),
);

const FrameSchema = Type.Object({
  op: Type.String(),
  topic: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String()),
  code: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
  dropped: Type.Optional(Type.Integer()),
  data: Type.Optional(Type.Unknown()),
});
const AnyFrame = Compile(FrameSchema);
/** Any frame of the service, held against its schema when it came. */
export type Frame = Static<typeof FrameSchema>;

/** A real client: keeps every frame until it is asked for. */
export type Client = {
  readonly ws: WebSocket;
  readonly send: (message: object | string) => void;
  /** The next frame; rejects when the connection closes first. */
  readonly next: () => Promise<Frame>;
  /** Frames up to the first one that `isLast` takes, that one included. */
  readonly until: (isLast: (frame: Frame) => boolean) => Promise<readonly Frame[]>;
  /** Everything that was sent before this ping was answered. */
  readonly settle: () => Promise<readonly Frame[]>;
  readonly closed: Promise<{ code: number }>;
};

/** Connects to the stream of a server and waits until the connection is open. */
export const connect = async (
  url: string,
  { protocols = ['signalbox.v1'], ...options }: ClientOptions & { protocols?: string[] } = {},
): Promise<Client> => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/api/v1/stream`, protocols, options);
  const frames: Frame[] = [];
  let wake = () => {};
  let isClosed = false;
  ws.on('message', (data) => {
    frames.push(checkFrame(JSON.parse(String(data))));
    wake();
  });
  const closed = new Promise<{ code: number }>((resolve) =>
    ws.once('close', (code) => {
      isClosed = true;
      wake();
      resolve({ code });
    }),
  );
  await once(ws, 'open');
  ws.on('error', () => {});

  const next = async (): Promise<Frame> => {
    for (;;) {
      const frame = frames.shift();
      if (frame !== undefined) return frame;
      if (isClosed) throw new Error('the connection closed before the frame came');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const until = async (isLast: (frame: Frame) => boolean) => {
    const seen: Frame[] = [];
    for (;;) {
      const frame = await next();
      seen.push(frame);
      if (isLast(frame)) return seen;
    }
  };
  const send = (message: object | string) => ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  return {
    ws,
    send,
    next,
    until,
    settle: async () => {
      send({ op: 'ping' });
      return (await until(({ op }) => op === 'pong')).slice(0, -1);
    },
    closed,
  };
};

const checkFrame = (value: unknown): Frame => {
  const frame = AnyFrame.Parse(value);
  const validator = VALIDATORS[frame.op];
  assert.ok(validator, `the contract knows no frame "${frame.op}"`);
  assert.ok(validator.Check(value), `not as the contract says: ${JSON.stringify(value)}`);
  return frame;
};
