import pino from 'pino';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { createBus } from '../../src/core/bus.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Store, StreamEvent } from '../../src/core/ports.ts';
import { createTakeGpuLog } from '../../src/import/take-gpu-log.ts';
import type { Ingest } from '../../src/server/ingest-lines.ts';
import { createServer, type ServerParts } from '../../src/server/server.ts';
import { observed, rows } from '../store/observed.ts';
import { open, T0 } from '../store/open-store.ts';
import { checkAnswer } from './check-answer.ts';

type DurableEvent = Parameters<Store['addEvents']>[0][number];

/** A listening server over a real store, with what a test needs to make things happen and to ask for them. */
export type TestServer = {
  readonly url: string;
  readonly store: Store;
  /** Stores durable events and publishes them, as the pipeline does. */
  readonly happen: (...events: readonly DurableEvent[]) => readonly StreamEvent[];
  /** Publishes events that are stored already. */
  readonly tell: (events: readonly StreamEvent[]) => void;
  /** Publishes events of a sampled topic. */
  readonly sample: (...events: readonly Omit<StreamEvent, 'cursor'>[]) => void;
  /** GET; every JSON answer is held against `/openapi.json`. */
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>;
  /** The body of a 200, as what `schema` says that it is. */
  readonly read: <T extends TSchema>(path: string, schema: T) => Promise<Static<T>>;
  readonly close: () => Promise<void>;
};

/** Serves `store`, in memory unless given; `close` closes it too. */
export const startServer = async ({
  store = open(),
  service,
  ...parts
}: Partial<Omit<ServerParts, 'bus' | 'service' | 'store'>> & {
  store?: Store;
  service?: Partial<ServerParts['service']>;
} = {}): Promise<TestServer> => {
  const bus = createBus((error) => {
    throw error;
  });
  const server = await createServer({
    store,
    bus,
    ingest: ingestInto(store),
    takeGpuLog: createTakeGpuLog(store),
    clock: systemClock,
    rules: [],
    health: () => [],
    service: {
      version: '0.1.0',
      host: 'trainer',
      startedAt: T0,
      simulated: null,
      watched: ['/runs'],
      gpuSource: 'nvidia-smi',
      ...service,
    },
    access: { token: null, hosts: [], origins: [] },
    webRoot: null,
    log: pino({ level: 'silent' }),
    ...parts,
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url + path, { headers });
    const token = headers.authorization;
    await checkAnswer({ url, path, answer: answer.clone(), ...(token === undefined ? {} : { token }) });
    return answer;
  };
  return {
    url,
    store,
    happen: (...events) => {
      const stored = store.addEvents(events);
      bus.publish(stored);
      return stored;
    },
    tell: bus.publish,
    sample: (...events) => bus.publish(events.map((event) => ({ ...event, cursor: store.cursor() }))),
    get,
    read: async (path, schema) => {
      const value: unknown = await (await get(path)).json();
      Value.Assert(schema, value);
      return value;
    },
    close: async () => {
      await server.close();
      store.close();
    },
  };
};

/** Stores what runs say of themselves, each run by its name. */
const ingestInto = (store: Store): Ingest => {
  const inodes = new Map<string, number>();
  let offset = 0;
  return (batches) =>
    batches.map(({ run, events }) => {
      const path = `/ingest/${run}`;
      const inode = inodes.get(run) ?? 5000 + inodes.size;
      inodes.set(run, inode);
      const { id } = store.observeRun(observed({ path, folder: { inode } }), 'trainer', T0);
      const numbered = events.map((event) => ({ offset: ++offset, event }));
      store.observeOutput(id, { path, source: 'ingest', generation: 'first', writtenAt: T0, events: numbered }, T0);
      return { id };
    });
};

/** Puts a run with epochs 1 to `count` into a store; answers its id. */
export const addRun = (store: Store, name: string, count: number): string => {
  const inode = 1000 + store.listRuns({ limit: 1000 }).items.length;
  const { id } = store.observeRun(
    observed({ path: `/runs/${name}`, folder: { inode }, rows: rows(1, count) }),
    'trainer',
    T0,
  );
  return id;
};

/** The event of an epoch row that was just written. */
export const epochEvent = (run: string, epoch: number): DurableEvent => ({
  topic: 'epochs',
  run,
  at: T0 + epoch * 1000,
  data: {
    run,
    attempt: 1,
    epoch,
    at: T0,
    atSource: 'mtime',
    elapsedS: epoch,
    runElapsedS: epoch,
    metrics: { 'train/box_loss': 1 / epoch, 'val/box_loss': null },
  },
});
