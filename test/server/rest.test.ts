import t from 'tap';
import { type Alert, AlertSchema } from '../../src/core/alert.ts';
import { HistorySchema } from '../../src/core/history.ts';
import { EpochRowSchema, RunSchema } from '../../src/core/run.ts';
import { GpuSchema, HostSchema } from '../../src/core/sample.ts';
import { pageOf } from '../../src/core/schema.ts';
import { observed } from '../store/observed.ts';
import { T0 } from '../store/open-store.ts';
import { addRun, startServer } from './start-server.ts';

const alert: Alert = {
  id: 'a_1',
  rule: 'loss_spike',
  severity: 'warning',
  state: 'firing',
  noDataSince: null,
  subject: 'run:r_1',
  run: 'r_1',
  gpu: null,
  epochs: [3, 5],
  startedAt: T0,
  firedAt: T0 + 1000,
  resolvedAt: null,
  title: 'Loss spike',
  problem: 'train/box_loss rose to 4.1',
  evidence: [{ name: 'train/box_loss', value: 4.1, unit: '', expected: null }],
  cause: null,
  fix: ['Lower lr0'],
  forecastS: null,
  result: null,
  count: 1,
  inhibitedBy: null,
  ackedAt: null,
  silenced: false,
  backfilled: false,
};

t.test('runs come newest first, can be searched, and are read page by page', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const ids = ['alpha', 'beta', 'alpine'].map((name) => addRun(server.store, name, 2));
  const read = (query: string) => server.read(`/api/v1/runs${query}`, pageOf(RunSchema));
  const idsOf = (...pages: { items: { id: string }[] }[]) => pages.flatMap(({ items }) => items.map(({ id }) => id));
  t.same(idsOf(await read('?q=bet')), [ids[1]]);
  t.same(idsOf(await read('?state=failed,stopped')), []);
  const all = await read('');
  t.strictSame(idsOf(all).sort(), ids.sort());
  const first = await read('?limit=2');
  const second = await read(`?limit=2&cursor=${encodeURIComponent(String(first.next))}`);
  t.equal(second.next, null);
  t.strictSame(idsOf(first, second), idsOf(await read('')));
});

t.test('whatever a trainer put into its args is answered as it is', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const args = { lr0: 0.01, device: null, classes: [0, 1], augment: { mosaic: true, '<b>': "'" }, 名: '火車' };
  const { id } = server.store.observeRun(observed({ args, argsAt: T0 }), 'trainer', T0);
  const run = server.store.getRun(id);
  if (run) server.store.saveRun({ ...run, args });
  const answer = await server.read(`/api/v1/runs/${id}`, RunSchema);
  t.strictSame(answer.args, args);
  t.equal(answer.model, null, 'what is not known is null');
});

t.test('epoch rows come by attempt and epoch, a stretch of them, or as CSV', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 5);
  const path = `/api/v1/runs/${run}/epochs`;
  const epochs = pageOf(EpochRowSchema);
  const all = await server.read(path, epochs);
  t.strictSame(
    all.items.map(({ epoch }) => epoch),
    [1, 2, 3, 4, 5],
  );
  t.strictSame(all.items[0]?.metrics, { 'train/box_loss': 0.5, 'metrics/mAP50(B)': null });
  const some = await server.read(`${path}?from=2&to=3&attempt=1`, epochs);
  t.strictSame(
    some.items.map(({ epoch }) => epoch),
    [2, 3],
  );

  const csv = await server.get(`${path}?to=1`, { accept: 'text/csv' });
  t.match(csv.headers.get('content-type'), /^text\/csv/);
  t.match(
    await csv.text(),
    /^attempt,epoch,at,elapsedS,runElapsedS,train\/box_loss,metrics\/mAP50\(B\)\r\n1,1,\d+,60,60,0\.5,\r\n$/,
  );
  t.ok((await server.get(`${path}?limit=2`, { accept: 'text/csv' })).headers.get('signalbox-next'), 'where it goes on');
});

t.test('CSV shows what was not finite, and no column name becomes a formula', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const row = {
    fileAttempt: 0,
    fileAttemptKind: 'start',
    epoch: 1,
    at: T0,
    atSource: 'mtime',
    elapsedS: 1,
    metrics: { '=HYPERLINK("http://evil")': -1, 'val/loss': null },
    nonFinite: { 'val/loss': 'nan' },
  } as const;
  const { id } = server.store.observeRun(observed({ rows: [row] }), 'trainer', T0);
  const csv = await (await server.get(`/api/v1/runs/${id}/epochs`, { accept: 'text/csv' })).text();
  t.match(csv, `,"'=HYPERLINK(""http://evil"")",val/loss\r\n`);
  t.match(csv, /,-1,nan\r\n$/);
});

t.test('the attempts of a run are listed', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 4);
  t.match(await (await server.get(`/api/v1/runs/${run}/attempts`)).json(), {
    items: [{ attempt: 1, kind: 'start', firstEpoch: 1, lastEpoch: 4, epochs: 4 }],
    next: null,
  });
});

t.test('GPUs and hosts are listed with their latest sample, and their history is in columns', async (t) => {
  const now = T0 + 600_000;
  const server = await startServer({ clock: { now: () => now, after: () => () => {} } });
  t.teardown(server.close);
  const { store } = server;
  const gpu = { uuid: 'GPU-1a', index: 0, name: 'A100', driver: '550', memoryTotal: 40e9, powerLimit: 400 };
  store.saveGpus([gpu], now);
  store.saveHost({ name: 'trainer', os: 'Linux', cpuModel: null, cpuCores: 8, memoryTotal: 64e9 }, now);
  for (let n = 0; n < 120; n++) {
    const at = now - (120 - n) * 1000;
    store.appendSamples([
      { subject: 'gpu:GPU-1a', at, values: { utilization: n === 60 ? 0 : 90, power: null } },
      { subject: 'host:trainer', at, values: { cpu: 30 } },
    ]);
  }

  const [shown] = (await server.read('/api/v1/gpus', pageOf(GpuSchema))).items;
  t.match(shown, { gpu: 'gpu:0', uuid: 'GPU-1a', latest: { utilization: 90, power: null } });
  const hosts = await server.read('/api/v1/hosts', pageOf(HostSchema));
  t.match(hosts.items, [{ host: 'host:trainer', latest: { cpu: 30 } }]);

  const path = '/api/v1/gpus/0/history?metrics=utilization,power';
  const history = await server.read(`${path}&step=60s`, HistorySchema);
  t.match(history, { subject: 'gpu:0', to: now, from: now - 3_600_000, stepMs: 60_000 });
  t.strictSame(Object.keys(history.metrics), ['utilization', 'power']);
  t.ok(history.t.every((at) => at % 60_000 === 0));
  const { utilization, power } = history.metrics;
  t.equal(
    utilization?.count.reduce((sum, n) => sum + n),
    120,
  );
  t.ok(utilization?.min.includes(0), 'a dip of one sample is visible');
  t.ok(power?.avg.every((value) => value === null));

  t.strictSame(
    await (await server.get(`/api/v1/gpus/GPU-1a/history?metrics=utilization,power&step=60s`)).json(),
    history,
  );
  const defaults = await server.read('/api/v1/gpus/0/history?metrics=power', HistorySchema);
  t.equal(defaults.stepMs, 5000, 'an hour in at most 1000 points');
  const iso = new Date(now - 60_000).toISOString();
  t.match(await (await server.get(`${path}&from=${iso}&points=10`)).json(), { from: now - 60_000, stepMs: 10_000 });
  t.match(await (await server.get('/api/v1/hosts/trainer/history')).json(), {
    subject: 'host:trainer',
    metrics: { cpu: { avg: [] }, netTx: { avg: [] } },
  });

  const csv = await server.get(`${path}&step=1h`, { accept: 'text/csv' });
  t.match(await csv.text(), /^t,utilization\.avg,utilization\.min,utilization\.max,utilization\.count,power\.avg/);
});

t.test('alerts are listed by state, rule, run, severity and time, and one by its id', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  server.store.saveAlerts([
    alert,
    { ...alert, id: 'a_2', rule: 'hang', severity: 'critical', run: 'r_2', startedAt: T0 + 60_000 },
    {
      ...alert,
      id: 'a_3',
      state: 'resolved',
      startedAt: T0 + 120_000,
      resolvedAt: T0 + 180_000,
      result: 'back at 0.4',
    },
  ]);
  const ids = async (query: string) =>
    (await server.read(`/api/v1/alerts${query}`, pageOf(AlertSchema))).items.map(({ id }) => id);
  t.strictSame(await ids(''), ['a_3', 'a_2', 'a_1']);
  t.strictSame(await ids('?state=pending,firing'), ['a_2', 'a_1']);
  t.strictSame(await ids('?rule=hang&severity=critical&run=r_2'), ['a_2']);
  t.strictSame(await ids(`?from=${T0 + 1}&to=${new Date(T0 + 120_000).toISOString()}`), ['a_2']);
  t.strictSame(await (await server.get('/api/v1/alerts/a_1')).json(), alert);
});

t.test('the service says what it watches, and its rules say what they judge by', async (t) => {
  const parameter = { name: 'k', unit: 'σ', default: 6, value: 6, minimum: 3, maximum: 20, description: 'how far' };
  const rule = {
    id: 'loss_spike',
    title: 'Loss spike',
    description: 'A loss far above its trend',
    severity: ['info' as const, 'warning' as const],
    subject: 'run' as const,
    needs: ['epochs'],
    parameters: [parameter],
  };
  const server = await startServer({ rules: [rule] });
  t.teardown(server.close);
  t.match(await (await server.get('/api/v1/service')).json(), { watched: ['/runs'], simulated: null });
  t.strictSame(await (await server.get('/api/v1/rules')).json(), { items: [rule], next: null });
});
