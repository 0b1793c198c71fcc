import { join } from 'node:path';
import t from 'tap';
import type { StreamEvent } from '../../src/core/ports.ts';
import { hostSampleOf } from '../../src/core/sample.ts';
import { open, T0 } from '../store/open-store.ts';
import { addRun, epochEvent, startServer, type TestServer } from './start-server.ts';
import { type Client, connect, type Frame } from './stream-client.ts';

t.test('a client that comes back with its cursor gets what it missed, in place of snapshots', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const [seen] = server.happen(epochEvent(run, 1));
  server.happen(epochEvent(run, 2), epochEvent(run, 3));
  const client = await connect(server.url);
  await client.next();
  client.send({ op: 'subscribe', topics: ['epochs', 'host'], after: seen?.cursor });
  t.match(await client.settle(), [
    { op: 'subscribed', topics: ['epochs', 'host'] },
    { op: 'snapshot', topic: 'host', cursor: seen?.cursor },
    { op: 'event', data: { epoch: 2 } },
    { op: 'event', data: { epoch: 3 } },
  ]);
  server.happen(epochEvent(run, 4));
  t.match(await client.next(), { op: 'event', data: { epoch: 4 } });
});

t.test('what was stored before a client came and is told after it came does not come twice', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 2);
  const [seen] = server.happen(epochEvent(run, 1));
  const late = server.store.addEvents([epochEvent(run, 2)]);
  const [fresh, back] = [await connect(server.url), await connect(server.url)];
  fresh.send({ op: 'subscribe', topics: ['epochs'], run });
  t.match((await fresh.settle()).at(-1), { op: 'snapshot', data: [{ epoch: 1 }, { epoch: 2 }] });
  back.send({ op: 'subscribe', topics: ['epochs'], after: seen?.cursor });
  t.match((await back.settle()).at(-1), { op: 'event', data: { epoch: 2 } });
  server.tell(late);
  server.happen(epochEvent(run, 3));
  for (const client of [fresh, back]) t.match(await client.settle(), [{ op: 'event', data: { epoch: 3 } }]);
});

t.test('the cursor of a REST answer is one to come back with', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  server.happen(epochEvent(run, 1));
  const after = (await server.get(`/api/v1/runs/${run}/epochs`)).headers.get('signalbox-cursor');
  server.happen(epochEvent(run, 2));
  const client = await connect(server.url);
  await client.next();
  client.send({ op: 'subscribe', topics: ['epochs'], after });
  t.match(await client.settle(), [{ op: 'subscribed' }, { op: 'event', data: { epoch: 2 } }]);
});

t.test('a cursor that this service never gave is answered with reset and snapshots', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 2);
  const client = await connect(server.url);
  await client.next();
  client.send({ op: 'subscribe', topics: ['runs'], after: 'nonsense' });
  t.match(await client.settle(), [
    { op: 'subscribed' },
    { op: 'reset', reason: /nonsense/ },
    { op: 'snapshot', topic: 'runs', data: [{ id: run }] },
  ]);
});

t.test('a long replay arrives whole and in order, and what happens meanwhile after it', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const after = server.store.cursor();
  for (let epoch = 1; epoch <= 5000; epoch++) server.happen(epochEvent(run, epoch));
  const client = await connect(server.url);
  await client.next();
  client.send({ op: 'subscribe', topics: ['epochs', 'host'], after });
  const first = await client.until(({ op }) => op === 'event');
  server.sample({ topic: 'host', at: T0, run: null, gpu: null, data: hostSample });
  for (let epoch = 5001; epoch <= 5100; epoch++) server.happen(epochEvent(run, epoch));
  const rest = await client.until(({ op, topic }) => op === 'event' && topic === 'host');
  const frames = [...first, ...rest];
  t.same(
    frames.filter(({ topic }) => topic === 'epochs').map(({ data }) => epochOf(data)),
    Array.from({ length: 5100 }, (_, i) => i + 1),
  );
  const cursors = frames.flatMap(({ cursor }) => cursor ?? []);
  t.notOk(
    cursors.some((cursor, i) => server.store.compareCursors(cursor, cursors[i - 1] ?? cursor) < 0),
    'a client that stops at any frame can come back with its cursor',
  );
});

t.test('a second subscription with a cursor brings its own past and repeats nothing of the first', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const [a, b] = [addRun(server.store, 'a', 1), addRun(server.store, 'b', 1)];
  const after = server.store.cursor();
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['epochs'], run: a });
  await client.settle();
  server.happen(epochEvent(a, 2), epochEvent(b, 2));
  t.match(await client.settle(), [{ data: { run: a, epoch: 2 } }]);
  client.send({ op: 'subscribe', topics: ['epochs'], run: b, after });
  t.match(await client.settle(), [{ op: 'subscribed' }, { data: { run: b, epoch: 2 } }]);
  server.happen(epochEvent(a, 3), epochEvent(b, 3));
  t.match(await client.settle(), [{ data: { run: a, epoch: 3 } }, { data: { run: b, epoch: 3 } }]);
});

t.test('what a client asks during a replay is answered after it', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const after = server.store.cursor();
  for (let epoch = 1; epoch <= 250; epoch++) server.happen(epochEvent(run, epoch));
  const client = await connect(server.url);
  await client.next();
  client.send({ op: 'subscribe', topics: ['epochs'], after });
  client.send({ op: 'subscribe', topics: ['runs'] });
  const frames = await client.settle();
  t.equal(frames.length, 253);
  t.match(frames.at(-2), { op: 'subscribed', topics: ['runs'] });
  t.match(frames.at(-1), { op: 'snapshot', topic: 'runs', cursor: server.store.cursor() });
});

t.test('a client cut at random, over a restart of the service, gets every event once and in order', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const random = seeded(7);
  let server = await startServer({ store: open(path) });
  t.teardown(() => server.close());
  const runs = [addRun(server.store, 'a', 1), addRun(server.store, 'b', 1)] as const;

  const happened: StreamEvent[] = [];
  const everything = createTraveller({ topics: ['runs', 'epochs', 'alerts', 'host'], after: server.store.cursor() });
  const oneRun = createTraveller({ topics: ['epochs', 'host'], run: runs[0], after: server.store.cursor() });

  for (let round = 1; round <= 60; round++) {
    if (round === 30) {
      await Promise.all([everything.cut(), oneRun.cut()]);
      await server.close();
      server = await startServer({ store: open(path) });
    }
    for (const traveller of [everything, oneRun]) {
      if (random() < 0.5) await traveller.cut();
      if (random() < 0.7) await traveller.travel(server);
    }
    for (let n = Math.ceil(random() * 15); n > 0; n--) {
      happened.push(...server.happen(epochEvent(random() < 0.5 ? runs[0] : runs[1], happened.length + 1)));
      server.sample({ topic: 'host', at: T0, run: null, gpu: null, data: hostSample });
    }
  }
  for (const traveller of [everything, oneRun]) {
    await traveller.travel(server);
    await traveller.arrive();
  }
  const cursors = (events: readonly { cursor?: string | undefined }[]) => events.map(({ cursor }) => cursor);
  t.ok(happened.length > 300);
  t.same(cursors(everything.seen), cursors(happened));
  t.same(cursors(oneRun.seen), cursors(happened.filter(({ run }) => run === runs[0])));
});

const hostSample = hostSampleOf({ subject: 'host:trainer', at: T0, values: { cpu: 12 } });

/** A client as a notebook writes it: it keeps the cursor of the last frame that it read, whatever its topic. */
const createTraveller = ({ after, ...asked }: { topics: string[]; run?: string; after: string }) => {
  let cursor = after;
  let client: Client | null = null;
  let reading = Promise.resolve();
  const seen: Frame[] = [];
  const read = (frame: Frame) => {
    if (frame.op === 'welcome') return;
    if (frame.op === 'event' && frame.topic !== 'host') seen.push(frame);
    cursor = frame.cursor ?? cursor;
  };
  return {
    seen,
    /** Connects, unless it is connected, and reads as it comes. */
    travel: async (server: TestServer) => {
      if (client !== null) return;
      const connected = await connect(server.url);
      client = connected;
      connected.send({ op: 'subscribe', ...asked, after: cursor });
      reading = (async () => {
        for (;;) read(await connected.next());
      })().catch(() => {});
    },
    /** Breaks the connection without a word; frames on their way are lost. */
    cut: async () => {
      client?.ws.terminate();
      client = null;
      await reading;
    },
    /** Reads until a ping that was sent now would be answered. */
    arrive: async () => {
      const closed = client?.closed;
      client?.ws.close();
      await closed;
      await reading;
    },
  };
};

const epochOf = (data: unknown): number => (data as { epoch: number }).epoch; // an epochs frame, checked by the client

/** Park and Miller's minimal generator: the same numbers in every test run. */
const seeded = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};
