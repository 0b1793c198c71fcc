import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Type } from 'typebox';
import type { Store } from '../../src/core/ports.ts';
import { RunGpuSchema } from '../../src/core/run-gpu.ts';
import { runImport } from '../../src/import/command.ts';
import type { History } from '../../src/import/history.ts';
import { createServedHistory } from '../../src/import/served-history.ts';
import { readServiceFile, writeServiceFile } from '../../src/import/service-file.ts';
import { createStoredHistory } from '../../src/import/stored-history.ts';
import { addRun, startServer } from '../server/start-server.ts';
import { open, T0 } from '../store/open-store.ts';

const RAILWAY = 'yolo11n_20250909_141751';
const RAILWAY_LOG = join(import.meta.dirname, '../fixtures/railway/runs/detect', RAILWAY, 'nvidia-smi.csv');
const AnswerSchema = Type.Object({ items: Type.Array(RunGpuSchema) });

/** A run that took as long as the railway log. */
const addRailway = (store: Store): string => addEnded(store, RAILWAY, 95, T0 + 23_405_000);

const addEnded = (store: Store, name: string, epochs: number, endedAt: number): string => {
  const id = addRun(store, name, epochs);
  const run = store.getRun(id);
  if (run === undefined) throw new Error('expected the run that was just added');
  store.saveRun({ ...run, state: 'early_stopped', startedAt: T0, endedAt });
  return id;
};

const importInto = (history: History, over: { file?: string; run?: string; runPath?: string } = {}) => {
  const { run = RAILWAY, runPath = `/nowhere/${run}`, file = RAILWAY_LOG } = over;
  return runImport({ file, run, runPath, zone: 'UTC' }, history, null);
};

t.test('the railway log, imported through the service, says 89 % and 28.4 GiB, and once only', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const id = addRailway(server.store);
  const history = createServedHistory({ url: server.url, token: null });
  t.same(await importInto(history), {
    text:
      `2,340 samples taken for ${RAILWAY} (${id})\n` +
      'period: 2025-09-09 14:17:51 to 2025-09-09 20:47:41 (UTC)\n' +
      `import:${id}:0: 2,340 samples, NVIDIA A100-PCIE-40GB\n`,
  });
  const ask = () => server.read(`/api/v1/runs/${id}/gpu?by=run`, AnswerSchema);
  const first = await ask();
  const [item] = first.items;
  t.equal(first.items.length, 1);
  t.equal(item?.gpu, `import:${id}:0`);
  t.equal(Math.round(item?.metrics.utilization?.avg ?? 0), 89);
  t.equal(((item?.metrics.memoryUsed?.max ?? 0) / 2 ** 30).toFixed(1), '28.4');
  t.equal(item?.metrics.utilization?.count, 2340);
  t.match(await importInto(history), { text: /^0 samples taken for .*, 2,340 known already/ });
  t.same(await ask(), first);
});

t.test('without a service the log goes into the database, and is sealed there', async (t) => {
  const path = join(t.testdir({}), 'history.db');
  const before = open(path);
  const id = addRailway(before);
  before.close();
  const now = () => T0 + 400 * 86_400_000;
  t.match(await importInto(createStoredHistory(open(path), now), { run: id }), { text: /^2,340 samples taken/ });
  t.match(await importInto(createStoredHistory(open(path), now)), { text: /^0 samples taken .* 2,340 known/ });

  const server = await startServer({ store: open(path) });
  t.teardown(server.close);
  t.same(server.store.listGpus(), [], 'it is no GPU of this machine');
  const { items } = await server.read(`/api/v1/runs/${id}/gpu`, AnswerSchema);
  t.equal(Math.round(items[0]?.metrics.utilization?.avg ?? 0), 89);
  t.equal(items[0]?.metrics.utilization?.count, 2340);
});

t.test(
  'a log of another time than the files of its run is told of the run as a whole, and a note says so',
  async (t) => {
    const server = await startServer();
    t.teardown(server.close);
    const id = addEnded(server.store, 'copied', 3, T0 + 180_000);
    const file = join(t.testdir({}), 'gpu.csv');
    writeFileSync(file, 'timestamp, uuid, utilization.gpu [%]\n2024/01/02 03:04:05.000, GPU-elsewhere, 50 %\n');
    const done = await importInto(createServedHistory({ url: server.url, token: null }), { file, run: 'copied' });
    t.match(done, { text: /gpu:GPU-elsewhere: 1 sample\nnote: none of it lies in the time of the run/ });
    const answer = await server.read(`/api/v1/runs/${id}/gpu`, AnswerSchema);
    t.match(answer, {
      items: [{ gpu: 'gpu:GPU-elsewhere', from: Date.UTC(2024, 0, 2, 3, 4, 5) }],
      absent: { 'gpu:GPU-elsewhere': /all of it is told/ },
    });
  },
);

/** A log of a few lines. */
const shortLog = (folder: string): string => {
  const file = join(folder, 'short.csv');
  const lines = ['17:51', '17:52', '17:53'].map((time) => `2025/09/09 14:${time}.000, 0, 90 %\n`);
  writeFileSync(file, `timestamp, index, utilization.gpu [%]\n${lines.join('')}`);
  return file;
};

t.test('RUN is an id, a folder, or a name that only one run has', async (t) => {
  const store = open();
  const file = shortLog(t.testdir({}));
  const [first, second] = [addRun(store, 'a/train', 1), addRun(store, 'b/train', 1)];
  const history = { ...createStoredHistory(store, () => T0), close: async () => {} };
  t.teardown(store.close);
  const named = (run: string, runPath = `/nowhere/${run}`) => importInto(history, { run, runPath, file });
  const paths = await named('train');
  t.match(paths, { problem: /^--run: 2 runs are called "train"; give the folder or the id of one:\n/ });
  t.match(paths, { problem: new RegExp(`  ${first}  /runs/a/train`) });
  t.match(await named('train', '/runs/b/train'), { text: new RegExp(`\\(${second}\\)`) });
  t.match(await named(first), { text: new RegExp(`\\(${first}\\)`) });
  t.match(await named('r_none'), { problem: /"r_none" is no run/ });
});

t.test('a service that wants a token gets it, and says so where it is wrong', async (t) => {
  const server = await startServer({ access: { token: 'abcdefgh', hosts: [], origins: [] } });
  t.teardown(server.close);
  addRailway(server.store);
  const { url } = server;
  const file = shortLog(t.testdir({}));
  await t.rejects(importInto(createServedHistory({ url, token: null }), { file }), {
    name: 'ServiceRefusal',
    message: /answered 401: this service needs a token/,
  });
  t.match(await importInto(createServedHistory({ url, token: 'abcdefgh' }), { file }), { text: /^3 samples taken/ });
});

t.test('the route takes whole bodies of good lines, and names the first that is not', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const id = addRun(server.store, 'train', 1);
  const send = async (body: string, run = id, type = 'application/x-ndjson') => {
    const headers = { 'content-type': type };
    const answer = await fetch(`${server.url}/api/v1/runs/${run}/gpu-log`, { method: 'POST', headers, body });
    const { detail, ...said } = JSON.parse(await answer.text());
    return answer.ok ? said : [answer.status, detail];
  };
  const good = `{"at":${T0},"gpu":0,"values":{"utilization":95}}\n`;
  t.match(await send(`${good}{"at":1,"gpu":0,"values":{"warmth":1}}\n`), [400, /^line 2: values/]);
  t.match(await send(`${good}{"at":1,"gpu":"../0","values":{}}\n`), [400, /^line 2: gpu/]);
  t.match(await send('at,gpu\n'), [400, /^line 1: .*expected \{"at":MS/]);
  t.match(await send(good, 'r_none'), [404, /there is no run/]);
  t.match(await send(good, id, 'text/csv'), [415, /"text\/csv" is not application\/x-ndjson/]);
  t.same(await send(good), { taken: 1, known: 0 }, 'nothing of the bodies before was taken');
  t.same(await send(good), { taken: 0, known: 1 });
});

t.test('a service says beside its database how it is reached; what a killed one left counts as none', async (t) => {
  const database = join(t.testdir({}), 'history.db');
  t.equal(
    readServiceFile(database, () => true),
    null,
  );
  const remove = writeServiceFile(database, { pid: 123, url: 'http://127.0.0.1:4747' });
  t.same(
    readServiceFile(database, (pid) => pid === 123),
    { pid: 123, url: 'http://127.0.0.1:4747' },
  );
  t.equal(
    readServiceFile(database, () => false),
    null,
  );
  remove();
  t.equal(
    readServiceFile(database, () => true),
    null,
  );
});
