import t from 'tap';
import type { RunEvent } from '../../src/core/trace.ts';
import { T0 } from '../store/open-store.ts';
import { addRun, startServer, type TestServer } from './start-server.ts';
import { connect, type Frame } from './stream-client.ts';

/** Stores what a run says and publishes its steps and lines, as the pipeline does. */
const says = ({ store, sample }: TestServer, run: string, events: readonly RunEvent[]) => {
  const from = store.logTail(run, 500).length + store.listSteps(run, { limit: 10_000 }).items.length;
  const news = store.observeOutput(
    run,
    {
      path: '/runs/train',
      source: 'train.log',
      generation: 'first',
      writtenAt: T0,
      events: events.map((event, i) => ({ offset: from + i + 1, event })),
    },
    T0,
  );
  const common = { at: T0, run, gpu: null };
  sample(
    ...news.steps.map((step) => ({ ...common, topic: 'batches' as const, data: { run, ...step } })),
    ...news.lines.map((line) => ({ ...common, topic: 'logs' as const, data: { run, ...line } })),
  );
};

const step = (batch: number): RunEvent => ({ t: T0 + batch, kind: 'batch', epoch: 1, batch, loss: { box_loss: 1 } });
const line = (text: string): RunEvent => ({ t: T0, kind: 'log', line: text });
const count = (n: number) => Array.from({ length: n }, (_, i) => i);

const linesOf = (frames: readonly Frame[]) =>
  frames
    .filter(({ op, topic }) => op === 'event' && topic === 'logs')
    .map(({ data }) => (data as { line: string }).line);

t.test('a client sees the last steps and lines of every active run, or of the one it asked for', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const [a, b, old] = [addRun(server.store, 'a', 1), addRun(server.store, 'b', 1), addRun(server.store, 'old', 1)];
  const ended = server.store.getRun(old);
  if (ended) server.store.saveRun({ ...ended, state: 'finished' });
  says(server, a, [...count(600).map(step), ...count(300).map((n) => line(`line ${n}`))]);
  says(server, b, [step(1)]);
  says(server, old, [step(1), line('done')]);

  const client = await connect(server.url);
  await client.next();
  client.send({ op: 'subscribe', topics: ['batches', 'logs'] });
  const [, batches, logs] = await client.settle();
  const itemsOf = (frame: Frame | undefined) => (frame?.data ?? []) as { run: string }[];
  const runsOf = (frame: Frame | undefined) => {
    const runs = itemsOf(frame).map(({ run }) => run);
    return { a: runs.filter((run) => run === a).length, b: runs.filter((run) => run === b).length, all: runs.length };
  };
  t.same(runsOf(batches), { a: 500, b: 1, all: 501 });
  t.same(runsOf(logs), { a: 200, b: 0, all: 200 });
  t.match(itemsOf(logs).at(-1), { run: a, line: 'line 299', at: T0 });

  const other = await connect(server.url);
  await other.next();
  other.send({ op: 'subscribe', topics: ['batches', 'logs'], run: old });
  t.match(await other.settle(), [
    { op: 'subscribed' },
    { op: 'snapshot', topic: 'batches', data: [{ run: old, attempt: 1, epoch: 1, batch: 1 }] },
    { op: 'snapshot', topic: 'logs', data: [{ run: old, line: 'done' }] },
  ]);
});

t.test('a client that keeps up gets every step and every line as it comes, of its run only', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const [mine, other] = [addRun(server.store, 'mine', 1), addRun(server.store, 'other', 1)];
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['batches', 'logs'], run: mine });
  await client.settle();
  says(server, other, [step(1), line('not mine')]);
  says(server, mine, [step(1), step(2), ...count(400).map((n) => line(`line ${n}`))]);
  const frames = await client.settle();
  t.match(frames[0], { op: 'event', topic: 'batches', cursor: server.store.cursor(), data: { run: mine, batch: 1 } });
  t.same(
    linesOf(frames),
    count(400).map((n) => `line ${n}`),
  );
  t.equal(frames.length, 402);
});

t.test('a client that does not read gets the newest line when it does, and how many it was spared', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const client = await connect(server.url);
  client.send({ op: 'subscribe', topics: ['logs'] });
  await client.settle();
  client.ws.pause();
  const sent = 4000;
  const padding = 'x'.repeat(4000);
  for (let n = 1; n <= sent; n++) {
    const data = { run, at: T0, source: 'train.log', line: `${padding}${n}`, code: null };
    server.sample({ topic: 'logs', at: T0, run, gpu: null, data });
    if (n % 10 === 0) await new Promise(setImmediate);
  }
  client.ws.resume();
  const frames = await client.until(
    ({ data }) => (data as { line?: string } | undefined)?.line === `${padding}${sent}`,
  );
  const dropped = frames.reduce((sum, frame) => sum + (frame.dropped ?? 0), 0);
  t.ok(dropped > 0);
  t.equal(linesOf(frames).length + dropped, sent);
});
