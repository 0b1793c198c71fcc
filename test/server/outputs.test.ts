import t from 'tap';
import { HistorySchema } from '../../src/core/history.ts';
import { ClassMetricsSchema, LogLineSchema, StepSchema } from '../../src/core/output.ts';
import { pageOf } from '../../src/core/schema.ts';
import type { RunEvent } from '../../src/core/trace.ts';
import { T0 } from '../store/open-store.ts';
import { addRun, startServer, type TestServer } from './start-server.ts';

const says = ({ store }: TestServer, run: string, events: readonly RunEvent[]) =>
  store.observeOutput(
    run,
    {
      path: '/runs/train',
      source: '/runs/train/train.log',
      generation: 'first',
      writtenAt: T0,
      events: events.map((event, i) => ({ offset: i + 1, event })),
    },
    T0,
  );

t.test('the steps of a run are read by page and by moment', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const step = (n: number, box_loss: number | 'inf'): RunEvent => {
    return { t: T0 + n * 1000, kind: 'batch', epoch: 1, batch: n, loss: { box_loss } };
  };
  says(server, run, [...[0, 1, 2, 3].map((n) => step(n, 0.5)), step(4, 'inf')]);
  const read = (query: string) => server.read(`/api/v1/runs/${run}/batches${query}`, pageOf(StepSchema));
  const batches = ({ items }: { items: { batch: number }[] }) => items.map(({ batch }) => batch);
  const all = await read('');
  t.same(batches(all), [0, 1, 2, 3, 4]);
  t.match(all.items[4], { at: T0 + 4000, loss: { box_loss: null }, nonFinite: { box_loss: 'inf' }, dataS: null });
  const first = await read('?limit=3');
  t.same(batches(await read(`?limit=3&cursor=${first.next}`)), [3, 4]);
  t.same(batches(await read(`?from=${T0 + 1000}&to=${new Date(T0 + 3000).toISOString()}`)), [1, 2]);
});

t.test('the steps of a run come in buckets where few points are asked for', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const path = `/api/v1/runs/${run}/batches`;
  const nothing = await server.read(`${path}?points=10`, HistorySchema);
  t.same(nothing.metrics.stepS?.count, [0], 'a run without steps');

  const loss = (n: number) => ({ '=1+1"': n === 33 ? 50 : 1 });
  const steps = Array.from({ length: 100 }, (_, n): RunEvent => {
    return { t: T0 + n * 1000, kind: 'batch', epoch: 1, batch: n, loss: loss(n), stepS: 0.25 };
  });
  says(server, run, steps);
  const history = await server.read(`${path}?points=10`, HistorySchema);
  t.match(history, { subject: `run:${run}`, from: T0, to: T0 + 99_001, stepMs: 15_000 });
  const { max, count } = history.metrics['loss.=1+1"'] ?? {};
  t.equal(Math.max(...(max ?? []).map(Number)), 50, 'one step is seen');
  t.equal(
    count?.reduce((sum, n) => sum + n),
    100,
  );
  const part = await server.read(`${path}?from=${T0}&to=${T0 + 10_000}&step=5s`, HistorySchema);
  t.same(part.metrics.stepS?.avg, [0.25, 0.25, 0.25]);

  const csv = await (await server.get(`${path}?points=10`, { accept: 'text/csv' })).text();
  t.match(csv, /^t,stepS\.avg,.*,"loss\.=1\+1""\.avg",/);
  t.match(await (await server.get(`${path}?points=10&cursor=abc`)).json(), { status: 400, parameter: 'cursor' });
});

t.test('the metrics of every class are there for each validation', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  says(server, run, [
    { t: T0, kind: 'classes', epoch: 1, mAP50: { car: 0.5, 'traffic light': 'nan' } },
    { t: null, kind: 'classes', epoch: null, final: true, mAP50: { car: 0.9 } },
  ]);
  const { items } = await server.read(`/api/v1/runs/${run}/classes`, pageOf(ClassMetricsSchema));
  t.match(items, [
    { epoch: 1, final: false, classes: [{ name: 'car', metrics: { mAP50: 0.5 } }, { nonFinite: { mAP50: 'nan' } }] },
    { epoch: null, final: true, at: null, classes: [{ name: 'car', metrics: { mAP50: 0.9 } }] },
  ]);
});

t.test('the end of the console is read line by line, or as plain text', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 1);
  const path = `/api/v1/runs/${run}/log`;
  t.same((await server.read(path, pageOf(LogLineSchema))).items, [], 'a run without a console log');
  const lines = Array.from({ length: 300 }, (_, i): RunEvent => ({ t: null, kind: 'log', line: `line ${i}` }));
  const oom = { t: T0, kind: 'log', line: '<b>CUDA out of memory</b> 火', code: 'cuda_out_of_memory' } as const;
  says(server, run, [...lines, oom]);
  const standard = await server.read(path, pageOf(LogLineSchema));
  t.equal(standard.items.length, 200);
  t.match(standard.items.at(-1), { at: T0, source: '/runs/train/train.log', line: oom.line, code: oom.code });

  const text = await server.get(`${path}?tail=2`, { accept: 'text/plain' });
  t.match(text.headers.get('content-type'), 'text/plain; charset=utf-8');
  t.equal(await text.text(), `line 299\n${oom.line}\n`);
  const json = await server.get(`${path}?tail=2`, { accept: 'application/json, text/plain' });
  t.match(json.headers.get('content-type'), /json/);
});
