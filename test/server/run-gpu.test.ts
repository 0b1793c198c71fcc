import t from 'tap';
import { Type } from 'typebox';
import type { Store } from '../../src/core/ports.ts';
import { RunGpuSchema } from '../../src/core/run-gpu.ts';
import { createRunStatistics } from '../../src/run-statistics.ts';
import { observed, rows } from '../store/observed.ts';
import { open, T0 } from '../store/open-store.ts';
import { addRun, startServer } from './start-server.ts';

const AnswerSchema = Type.Object({
  items: Type.Array(RunGpuSchema),
  next: Type.Null(),
  absent: Type.Optional(Type.Record(Type.String(), Type.String())),
});

const GPU = { uuid: 'GPU-a', index: 0, name: 'NVIDIA A100', driver: '550', memoryTotal: 4e10, powerLimit: 250 };
const USED = { subject: 'gpu:GPU-a', firstAt: null, lastAt: null };

/** A run of three epochs of a minute; its GPU is sampled every second, at 90 % in training and 10 % in the last 15 s. */
const addTraining = (store: Store): string => {
  const { id } = store.observeRun(observed({ rows: rows(1, 3) }), 'trainer', T0);
  const run = store.getRun(id);
  if (run === undefined) throw new Error('expected the run that was just added');
  store.saveRun({ ...run, state: 'finished', startedAt: T0, endedAt: T0 + 180_000 });
  store.saveGpus([GPU], T0);
  store.addRunGpus(id, [USED]);
  store.appendSamples(
    Array.from({ length: 180 }, (_, second) => ({
      subject: 'gpu:GPU-a',
      at: T0 + second * 1000,
      values: { utilization: second % 60 < 45 ? 90 : 10, memoryUsed: 1e9 + second, power: 200 },
    })),
  );
  return id;
};

/** The run says when it trained and when it validated. */
const addPhases = (store: Store, id: string): void => {
  const events = [1, 2, 3].flatMap((epoch) => [
    { t: T0 + (epoch - 1) * 60_000, kind: 'phase' as const, epoch, phase: 'train' as const },
    { t: T0 + (epoch - 1) * 60_000 + 45_000, kind: 'phase' as const, epoch, phase: 'val' as const },
  ]);
  const numbered = events.map((event, index) => ({ offset: index + 1, event }));
  const path = '/runs/train';
  store.observeOutput(id, { path, source: 'sidecar', generation: 'first', writtenAt: T0, events: numbered }, T0);
};

t.test("the use of its GPU is told of a run as a whole, with today's name of the GPU", async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const id = addTraining(server.store);
  const { items, absent } = await server.read(`/api/v1/runs/${id}/gpu?by=run`, AnswerSchema);
  const [item] = items;
  t.equal(items.length, 1);
  t.equal(absent, undefined);
  t.match(item, { key: id, gpu: 'gpu:0', from: T0, to: T0 + 180_000, coverage: 1, secondsBelow: 45 });
  t.same(item?.metrics.utilization, { avg: 70, min: 10, max: 90, p5: 10, p50: 90, p95: 90, count: 180 });
  t.equal(item?.metrics.memoryUsed?.max, 1e9 + 179);
  t.equal(item?.metrics.temperature?.avg, null);
  t.equal(Number(item?.secondsLost?.toFixed(6)), 3 * (45 * 0.1 + 15 * 0.9));
  t.equal(Number(item?.energyWh?.toFixed(6)), Number(((200 * 179) / 3600).toFixed(6)));
  t.equal(item?.approximate, undefined);
});

t.test('by epoch, by phase, and of one phase in some epochs', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const id = addTraining(server.store);
  addPhases(server.store, id);
  const ask = async (query: string) =>
    (await server.read(`/api/v1/runs/${id}/gpu?${query}`, AnswerSchema)).items.map((item) => [
      item.key,
      item.metrics.utilization?.p50,
      item.metrics.utilization?.count,
      item.secondsBelow,
    ]);
  t.same(await ask('by=epoch'), [
    [1, 90, 60, 15],
    [2, 90, 60, 15],
    [3, 90, 60, 15],
  ]);
  t.same(await ask('by=phase'), [
    ['train', 90, 135, 0],
    ['val', 10, 45, 45],
  ]);
  t.same(await ask('by=run&epochs=2-3&phase=train'), [[id, 90, 90, 0]]);
  t.same(await ask('by=run&epochs=2&below=95'), [[id, 90, 60, 60]]);
  t.same(await ask('by=day&tz=Asia/Tokyo'), [['2025-09-09', 90, 180, 45]]);
});

t.test('a run that says nothing of its phases has none, and the answer says why', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const id = addTraining(server.store);
  const { items, absent } = await server.read(`/api/v1/runs/${id}/gpu?by=phase`, AnswerSchema);
  t.same(items, []);
  t.match(absent?.phase, /sidecar/);
  const other = addRun(server.store, 'other', 2);
  t.same(await server.read(`/api/v1/runs/${other}/gpu`, AnswerSchema), { items: [], next: null });
});

t.test('as CSV a line is one GPU in one part of the run', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const id = addTraining(server.store);
  const answer = await server.get(`/api/v1/runs/${id}/gpu?by=epoch`, { accept: 'text/csv' });
  const [header = '', first = ''] = (await answer.text()).split('\r\n');
  t.match(header, /^key,attempt,gpu,from,to,utilization\.avg,/);
  t.match(first, new RegExp(`^1,1,gpu:0,${T0},${T0 + 60_000},70,10,90,`));
});

t.test('what is not allowed is said with what is, and a run that is not there is a 404', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const id = addRun(server.store, 'train', 1);
  const refused = [
    ['by=week', 'by'],
    ['below=101', 'below'],
    ['epochs=9-3', 'epochs'],
    ['epochs=all', 'epochs'],
    ['phase=lunch', 'phase'],
    ['tz=Mars/Olympus', 'tz'],
    ['step=60s', 'step'],
  ] as const;
  for (const [query, parameter] of refused) {
    const answer = await server.get(`/api/v1/runs/${id}/gpu?${query}`);
    t.equal(answer.status, 400, query);
    t.match(await answer.json(), { parameter });
  }
  t.equal((await server.get('/api/v1/runs/r_none/gpu')).status, 404);
});

t.test('when a run has ended, its statistics are kept, and reckoned anew when it has gone on', async (t) => {
  const store = open();
  t.teardown(store.close);
  const id = addTraining(store);
  const errors: object[] = [];
  const log = { info: () => {}, warn: () => {}, error: (facts: object) => errors.push(facts) };
  const statistics = createRunStatistics({ store, clock: { now: () => T0 + 300_000, after: () => () => {} }, log });
  t.equal(store.nextWithoutStatistics(), id);
  await statistics.keep();
  t.same(errors, []);
  t.equal(store.nextWithoutStatistics(), null);
  const [kept] = store.runStatistics(id, 'run') ?? [];
  t.match(kept, { key: id, gpu: 'gpu:GPU-a', secondsBelow: 45, metrics: { utilization: { p50: 90, count: 180 } } });
  t.equal(store.runStatistics(id, 'epoch')?.length, 3);
  t.same(store.runStatistics(id, 'phase'), []);
  t.equal(store.runStatistics(id, 'day'), null);

  store.addRunGpus(id, [USED]);
  t.equal(store.nextWithoutStatistics(), id);
  t.equal(store.runStatistics(id, 'run'), null);
});
