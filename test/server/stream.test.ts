import { once } from 'node:events';
import t from 'tap';
import type { GpuSample } from '../../src/core/sample.ts';
import { gpuSampleOf } from '../../src/core/sample.ts';
import { STREAM_LIMITS } from '../../src/server/stream/limits.ts';
import { T0 } from '../store/open-store.ts';
import { addRun, epochEvent, startServer } from './start-server.ts';
import { connect } from './stream-client.ts';

const gpuSample = (index: number, utilization: number, run: string | null = null) => ({
  topic: 'gpu' as const,
  at: T0,
  run,
  gpu: index,
  data: gpuSampleOf({ subject: `gpu:U${index}`, at: T0, values: { utilization } }, `gpu:${index}`, `U${index}`, run),
});

t.test('a client is welcomed with where the service stands, and whether it is simulated', async (t) => {
  const server = await startServer({ service: { simulated: { speed: 60 } } });
  t.teardown(server.close);
  const client = await connect(server.url);
  t.match(await client.next(), {
    op: 'welcome',
    version: 1,
    host: 'trainer',
    cursor: server.store.cursor(),
    simulated: { speed: 60 },
  });
  t.equal(client.ws.protocol, 'signalbox.v1');
});

t.test('the subprotocol is optional', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const client = await connect(server.url, { protocols: [] });
  t.match(await client.next(), { op: 'welcome' });
});

t.test('a subscription is answered, then shows what is there, then what happens', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 3);
  const client = await connect(server.url);
  await client.next();
  client.send({ op: 'subscribe', topics: ['runs', 'epochs', 'alerts', 'gpu', 'host', 'batches', 'logs'] });
  const [subscribed, runs, epochs, ...others] = await client.settle();
  t.match(subscribed, { op: 'subscribed', topics: ['runs', 'epochs', 'alerts', 'gpu', 'host', 'batches', 'logs'] });
  t.match(runs, { op: 'snapshot', topic: 'runs', cursor: server.store.cursor(), data: [{ id: run }] });
  t.match(epochs, { op: 'snapshot', topic: 'epochs' });
  t.same(
    others.map(({ topic }) => topic),
    ['alerts', 'gpu', 'host', 'batches', 'logs'],
  );
  const [event] = server.happen(epochEvent(run, 4));
  t.match(await client.next(), { op: 'event', topic: 'epochs', cursor: event?.cursor, data: { run, epoch: 4 } });
});

t.test('a subscription to one run shows all its epochs, and nothing of another run', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const [mine, other] = [addRun(server.store, 'mine', 3), addRun(server.store, 'other', 2)];
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['epochs', 'host'], run: mine });
  const [snapshot] = (await client.settle()).filter(({ topic }) => topic === 'epochs');
  t.match(snapshot?.data, [
    { run: mine, epoch: 1 },
    { run: mine, epoch: 2 },
    { run: mine, epoch: 3 },
  ]);
  server.happen(epochEvent(other, 3), epochEvent(mine, 4));
  t.match(await client.settle(), [{ op: 'event', data: { run: mine, epoch: 4 } }]);
});

t.test('a subscription to one GPU brings no other GPU', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['gpu'], gpu: 1 });
  await client.settle();
  server.sample(gpuSample(0, 10), gpuSample(1, 20));
  t.match(await client.settle(), [{ op: 'event', topic: 'gpu', data: { gpu: 'gpu:1', utilization: 20 } }]);
});

t.test('subscriptions add up, an event that fits several comes once, and unsubscribing ends them', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const [a, b] = [addRun(server.store, 'a', 1), addRun(server.store, 'b', 1)];
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['epochs'], run: a });
  client.send({ op: 'subscribe', topics: ['epochs'], run: b });
  client.send({ op: 'subscribe', topics: ['epochs'] });
  await client.settle();
  server.happen(epochEvent(a, 2), epochEvent(b, 2));
  t.match(await client.settle(), [{ data: { run: a } }, { data: { run: b } }]);
  client.send({ op: 'unsubscribe', topics: ['epochs'] });
  await client.settle();
  server.happen(epochEvent(a, 3));
  t.same(await client.settle(), []);
});

t.test('with maxHz a client gets the newest value of each GPU, no more often than it asked for', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['gpu'], maxHz: 20 });
  await client.settle();
  const startedAt = performance.now();
  for (let utilization = 0; utilization <= 50; utilization++) {
    server.sample(gpuSample(0, utilization), gpuSample(1, utilization));
  }
  const frames = await client.until(isLastOf('gpu:1', 50));
  t.ok(performance.now() - startedAt >= 45, 'the second value of a GPU waits its twentieth of a second');
  t.match(frames, [
    { op: 'event', data: { gpu: 'gpu:0', utilization: 0 } },
    { op: 'event', data: { gpu: 'gpu:1', utilization: 0 } },
    { op: 'event', data: { gpu: 'gpu:0', utilization: 50 } },
    { op: 'event', data: { gpu: 'gpu:1', utilization: 50 } },
  ]);
});

t.test('a value that was held back carries the newest cursor when it comes', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['gpu', 'epochs'], maxHz: 20 });
  await client.settle();
  server.sample(gpuSample(0, 1), gpuSample(0, 2));
  const [epoch] = server.happen(epochEvent(run, 2));
  t.match(await client.until(isLastOf('gpu:0', 2)), [
    { topic: 'gpu', data: { utilization: 1 } },
    { topic: 'epochs', cursor: epoch?.cursor },
    { topic: 'gpu', cursor: epoch?.cursor, data: { utilization: 2 } },
  ]);
});

const isLastOf =
  (gpu: string, utilization: number) =>
  ({ data }: { data?: unknown }) => {
    const { gpu: found, utilization: value } = data as GpuSample; // a frame of topic gpu, checked by the client
    return found === gpu && value === utilization;
  };

t.test(
  'a message that cannot be understood is answered with what was expected, and the connection stays',
  async (t) => {
    const server = await startServer();
    t.teardown(server.close);
    const client = await connect(server.url);
    await client.next();
    for (const [message, code, words] of [
      ['{', 'bad_json', /JSON/],
      ['"subscribe"', 'unknown_op', /subscribe, unsubscribe or ping/],
      [{ op: 'dance' }, 'unknown_op', /"dance"/],
      [{ op: 'subscribe' }, 'bad_field', /topics/],
      [{ op: 'subscribe', topics: [] }, 'bad_field', /topics/],
      [{ op: 'subscribe', topics: ['losses'] }, 'unknown_topic', /"losses".*runs, epochs, alerts/],
      [{ op: 'subscribe', topics: ['gpu'], gpu: 'one' }, 'bad_field', /gpu/],
      [{ op: 'subscribe', topics: ['gpu'], maxHz: 0 }, 'bad_field', /maxHz/],
      [{ op: 'subscribe', topics: ['gpu'], since: 'x' }, 'bad_field', /./],
      [{ op: 'unsubscribe', topics: ['losses'] }, 'unknown_topic', /"losses"/],
    ] as const) {
      client.send(message);
      t.match(await client.next(), { op: 'error', code, message: words });
    }
    client.ws.send(Buffer.from([1, 2, 3]));
    t.match(await client.next(), { op: 'error', code: 'bad_json' });
    client.send({ op: 'ping' });
    t.match(await client.next(), { op: 'pong' });
  },
);

t.test('a client cannot hold subscriptions without end', async (t) => {
  const server = await startServer({ limits: { ...STREAM_LIMITS, maxSubscriptions: 2 } });
  t.teardown(server.close);
  const client = await connect(server.url);
  await client.next();
  for (const run of ['a', 'b', 'c']) client.send({ op: 'subscribe', topics: ['batches'], run });
  t.match(
    (await client.settle()).filter(({ op }) => op !== 'snapshot'),
    [{ op: 'subscribed' }, { op: 'subscribed' }, { op: 'error', code: 'too_many', message: /at most 2/ }],
  );
});

t.test('a message over 64 KiB closes the connection with 1009', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const client = await connect(server.url);
  client.send(`{"op":"ping","padding":"${'x'.repeat(64 * 1024)}"}`);
  t.match(await client.closed, { code: 1009 });
});

t.test('a peer that answers two pings no more is dropped, one that answers stays', async (t) => {
  const server = await startServer({ limits: { ...STREAM_LIMITS, pingEveryMs: 20 } });
  t.teardown(server.close);
  const healthy = await connect(server.url);
  const gone = await connect(server.url, { autoPong: false });
  t.match(await gone.closed, { code: 1006 });
  await once(healthy.ws, 'ping');
  t.match(await healthy.settle(), [{ op: 'welcome' }]);
});

t.test('when the service stops, its clients are told 1001', async (t) => {
  const server = await startServer();
  const client = await connect(server.url);
  await server.close();
  t.match(await client.closed, { code: 1001 });
});

t.test('a plain GET of the stream says what it is', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const answer = await server.get('/api/v1/stream');
  t.equal(answer.status, 426);
  t.match(await answer.json(), { detail: /WebSocket/ });
});
