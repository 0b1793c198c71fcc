import t from 'tap';
import { hostSampleOf } from '../../src/core/sample.ts';
import { STREAM_LIMITS } from '../../src/server/stream/limits.ts';
import { T0 } from '../store/open-store.ts';
import { addRun, epochEvent, startServer } from './start-server.ts';
import { connect } from './stream-client.ts';

/** A sample of a host with a name of 16 KiB, so that some hundred of them fill every buffer on the way. */
const hostEvent = (cpu: number) => ({
  topic: 'host' as const,
  at: T0,
  run: null,
  gpu: null,
  data: hostSampleOf({ subject: `host:${'x'.repeat(16 * 1024)}`, at: T0, values: { cpu } }),
});

/** An epoch whose metric has a name of 64 KiB, so that a few hundred of them fill every buffer on the way. */
const bigEpoch = (run: string, epoch: number) => {
  const event = epochEvent(run, epoch);
  return { ...event, data: { ...event.data, metrics: { ['x'.repeat(64 * 1024)]: epoch } } };
};

t.test('a client that does not read its samples gets a lag and the newest one when it does', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const [healthy, slow] = [await connect(server.url), await connect(server.url)];
  for (const client of [healthy, slow]) {
    client.send({ op: 'subscribe', topics: ['host'] });
    await client.settle();
  }
  slow.ws.pause();
  const count = 1500;
  for (let n = 1; n <= count; n++) {
    server.sample(hostEvent(n));
    if (n % 3 === 0) await new Promise(setImmediate);
  }
  const isLast = ({ data }: { data?: unknown }) => (data as { cpu?: number } | undefined)?.cpu === count;
  t.equal((await healthy.until(isLast)).length, count, 'the healthy client got every one');
  slow.ws.resume();
  const frames = await slow.until(isLast);
  const dropped = frames.reduce((sum, frame) => sum + (frame.dropped ?? 0), 0);
  t.ok(dropped > 0);
  t.equal(frames.filter(({ op }) => op === 'event').length + dropped, count, 'what did not come was counted');
});

t.test('a client that falls behind and reads again has every durable event, in order', async (t) => {
  const server = await startServer({ limits: { ...STREAM_LIMITS, maxBehindBytes: 1024 ** 3 } });
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const slow = await connect(server.url);
  slow.send({ op: 'subscribe', topics: ['epochs', 'host'] });
  await slow.settle();
  slow.ws.pause();
  const count = 250;
  for (let epoch = 1; epoch <= count; epoch++) server.happen(bigEpoch(run, epoch));
  server.sample(hostEvent(1), hostEvent(2));
  slow.ws.resume();
  const frames = await slow.until(({ op, topic }) => op === 'event' && topic === 'host');
  t.same(
    frames.filter(({ topic }) => topic === 'epochs').map(({ data }) => (data as { epoch: number }).epoch),
    Array.from({ length: count }, (_, i) => i + 1),
  );
  t.match(frames.slice(-2), [
    { op: 'lag', topic: 'host', dropped: 1 },
    { op: 'event', topic: 'host', cursor: server.store.cursor(), data: { cpu: 2 } },
  ]);
});

t.test('a client too far behind is closed with 1013 and may come back; others notice nothing', async (t) => {
  const server = await startServer({ limits: { ...STREAM_LIMITS, maxBehindBytes: 1024 * 1024 } });
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const [healthy, slow] = [await connect(server.url), await connect(server.url)];
  for (const client of [healthy, slow]) {
    client.send({ op: 'subscribe', topics: ['epochs'] });
    await client.settle();
  }
  slow.ws.pause();
  const count = 250;
  for (let epoch = 1; epoch <= count; epoch++) {
    server.happen(bigEpoch(run, epoch));
    t.match((await healthy.next()).data, { epoch });
  }
  slow.ws.resume();
  t.match(await slow.closed, { code: 1013 });
  const seen = [];
  for (;;) {
    const frame = await slow.next().catch(() => null);
    if (frame === null) break;
    seen.push(frame);
  }
  t.ok(seen.length < count);

  const back = await connect(server.url);
  await back.next();
  back.send({ op: 'subscribe', topics: ['epochs'], after: seen.at(-1)?.cursor });
  const missed = (await back.settle()).filter(({ op }) => op === 'event');
  t.equal(seen.length + missed.length, count);
});

t.test('a client that slept until its events were deleted is told so and sees what is there now', async (t) => {
  const server = await startServer({ limits: { ...STREAM_LIMITS, maxBehindBytes: 1024 ** 3 } });
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const slow = await connect(server.url);
  slow.send({ op: 'subscribe', topics: ['epochs', 'host'], run });
  await slow.settle();
  slow.ws.pause();
  for (let epoch = 1; epoch <= 250; epoch++) server.happen(bigEpoch(run, epoch));
  while (server.store.maintain(T0 + 30 * 86_400_000));
  slow.ws.resume();
  await slow.until(({ op }) => op === 'reset');
  t.match(await slow.next(), { op: 'snapshot', topic: 'epochs', cursor: server.store.cursor(), data: [{ epoch: 1 }] });
  server.happen(epochEvent(run, 251));
  t.match(await slow.next(), { op: 'event', data: { epoch: 251 } });
});
