import { once } from 'node:events';
import { request } from 'node:http';
import pino from 'pino';
import t, { type Test } from 'tap';
import { HistorySchema } from '../../src/core/history.ts';
import type { Store } from '../../src/core/ports.ts';
import { open, T0 } from '../store/open-store.ts';
import { startServer, type TestServer } from './start-server.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOW = T0 - (T0 % HOUR) + HOUR;
const gpu = { uuid: 'GPU-1a', index: 0, name: 'A100', driver: '550', memoryTotal: 40e9, powerLimit: 400 };

/** A store with ten minutes of a GPU, one of them silent, one sample a spike; its energy counter grows by 300 W. */
const storeWithSamples = (): Store => {
  const store = open();
  store.saveGpus([gpu], NOW);
  store.saveHost({ name: 'trainer', os: 'Linux', cpuModel: null, cpuCores: 8, memoryTotal: 64e9 }, NOW);
  for (let n = 0; n < 600; n++) {
    if (n >= 300 && n < 360) continue;
    const values = { utilization: n === 77 ? 3 : 90, energy: 1000 + n * 300 };
    store.appendSamples([{ subject: 'gpu:GPU-1a', at: NOW - 600 * SECOND + n * SECOND, values }]);
  }
  return store;
};

const serve = async (t: Test, parts: Parameters<typeof startServer>[0] = {}): Promise<TestServer> => {
  const clock = { now: () => NOW, after: () => () => {} };
  const server = await startServer({ store: storeWithSamples(), clock, ...parts });
  t.teardown(server.close);
  return server;
};

const LAST_TEN_MINUTES = `from=${NOW - 10 * MINUTE}&to=${NOW}&step=1m`;
const OF_GPU = `/api/v1/gpus/0/history?metrics=utilization&${LAST_TEN_MINUTES}`;

t.test('a spike of one sample is seen, and a silent minute is null', async (t) => {
  const server = await serve(t);
  const { metrics } = await server.read(OF_GPU, HistorySchema);
  const { avg, min, max, count } = metrics.utilization ?? {};
  t.same(min, [90, 3, 90, 90, 90, null, 90, 90, 90, 90]);
  t.same(max, [90, 90, 90, 90, 90, null, 90, 90, 90, 90]);
  t.same(count, [60, 60, 60, 60, 60, 0, 60, 60, 60, 60]);
  t.equal(avg?.[5], null);
});

t.test('further aggregates are there when they are asked for', async (t) => {
  const server = await serve(t);
  const path = OF_GPU.replace('utilization', 'utilization,energy');
  const { metrics } = await server.read(`${path}&agg=p5,last,rate,avg`, HistorySchema);
  t.equal(metrics.utilization?.p5?.[1], 90);
  t.equal(metrics.utilization?.last?.[0], 90);
  t.equal(metrics.energy?.rate?.[2], 300, 'of a counter in J what it grew by a second: W');
  t.notOk('p95' in (metrics.utilization ?? {}), 'and only then');
});

t.test('a rate is refused where nothing is counted', async (t) => {
  const server = await serve(t);
  const answer = await server.get('/api/v1/hosts/trainer/history?agg=rate');
  t.match(await answer.json(), { status: 400, parameter: 'agg', detail: /"rate".*nothing is counted here/ });
});

t.test('buckets begin by the clock of a time zone where one is asked for', async (t) => {
  const server = await serve(t);
  const day = `from=${NOW - 30 * HOUR}&to=${NOW}&step=1d`;
  const path = `/api/v1/gpus/0/history?metrics=utilization&${day}`;
  const history = await server.read(`${path}&tz=Asia/Kolkata`, HistorySchema);
  t.match(history, { zone: 'Asia/Kolkata', stepMs: 24 * HOUR });
  t.ok(history.t.every((at) => (at + 5.5 * HOUR) % (24 * HOUR) === 0));
  t.notOk('zone' in (await server.read(path, HistorySchema)));
});

t.test('what is kept by the minute only is answered by the minute, and says so', async (t) => {
  const store = storeWithSamples();
  const server = await serve(t, { store: { ...store, finestStep: () => MINUTE } });
  const history = await server.read(OF_GPU.replace('step=1m', 'step=10s'), HistorySchema);
  t.equal(history.stepMs, MINUTE);
  t.equal(history.t.length, 10);
  const csv = await server.get(OF_GPU.replace('step=1m', 'points=600'), { accept: 'text/csv' });
  t.equal(csv.headers.get('signalbox-step-ms'), String(MINUTE));
});

t.test('the first format of Accept that there is is answered, and JSON where there is none', async (t) => {
  const server = await serve(t);
  const typeFor = async (accept: string) =>
    (await server.get(OF_GPU, { accept })).headers.get('content-type')?.split(';')[0];
  t.equal(await typeFor('text/csv, application/json'), 'text/csv');
  t.equal(await typeFor('application/json, text/csv'), 'application/json');
  t.equal(await typeFor('text/html, Application/X-NDJSON;q=0.9, */*'), 'application/x-ndjson');
  t.equal(await typeFor('image/png'), 'application/json');
});

t.test('CSV and NDJSON hold the same buckets as JSON', async (t) => {
  const server = await serve(t);
  const path = `${OF_GPU}&agg=p50`;
  const history = await server.read(path, HistorySchema);
  const ndjson = await (await server.get(path, { accept: 'application/x-ndjson' })).text();
  const buckets = ndjson
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.same(
    buckets.map(({ t }) => t),
    history.t,
  );
  t.same(buckets[1], {
    t: history.t[1],
    metrics: { utilization: { avg: 88.55, min: 3, max: 90, count: 60, p50: 90 } },
  });
  t.same(buckets[5].metrics.utilization, { avg: null, min: null, max: null, count: 0, p50: null });

  const csv = (await (await server.get(path, { accept: 'text/csv' })).text()).split('\r\n');
  t.equal(csv[0], ['t', ...['avg', 'min', 'max', 'count', 'p50'].map((name) => `utilization.${name}`)].join(','));
  t.equal(csv[2], `${history.t[1]},88.55,3,90,60,90`);
  t.equal(csv[6], `${history.t[5]},,,,0,`, 'null is an empty cell');
});

t.test('a client that goes away ends the read, and nobody is troubled by it', async (t) => {
  const store = storeWithSamples();
  const asked = new EventTarget();
  const complaints: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void complaints.push(line) });
  const server = await serve(t, {
    store: {
      ...store,
      history: (_subject, _query, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(signal.reason);
            asked.dispatchEvent(new Event('ended'));
          });
          asked.dispatchEvent(new Event('begun'));
        }),
    },
    log,
  });
  const begun = once(asked, 'begun');
  const ended = once(asked, 'ended');
  const client = request(server.url + OF_GPU).end();
  client.on('error', () => {});
  await begun;
  client.destroy();
  await ended;
  await server.get('/api/v1/gpus');
  t.same(complaints, []);
});
