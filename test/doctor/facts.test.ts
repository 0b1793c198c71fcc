import { chmodSync, mkdirSync, readdirSync, utimesSync, watch, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readDatabase } from '../../src/doctor/facts/database.ts';
import { readDevices } from '../../src/doctor/facts/devices.ts';
import { readFolder } from '../../src/doctor/facts/folder.ts';
import { tryHints } from '../../src/doctor/facts/hints.ts';
import { readMachine } from '../../src/doctor/facts/machine.ts';
import { readNetwork } from '../../src/doctor/facts/network.ts';
import { readNvidiaSmi } from '../../src/doctor/facts/nvidia-smi.ts';
import { readProcesses } from '../../src/doctor/facts/processes.ts';
import { runProgram } from '../../src/doctor/program.ts';
import { openStore } from '../../src/store/open.ts';
import { createStage } from '../collectors/gpu/stage.ts';
import { startServer } from '../server/start-server.ts';

const MIGRATIONS = join(import.meta.dirname, '../../migrations');
const tell = () => {};
const isRoot = process.getuid?.() === 0;

t.test('runs are found as the service finds them, with the time of the newest file', async (t) => {
  const path = t.testdir({
    train: { 'results.csv': 'epoch\n' },
    deep: { down: { train2: { 'args.yaml': 'epochs: 3\n' } } },
    weights: { train3: { 'results.csv': '' } },
  });
  const inAnHour = Date.now() / 1000 + 3600;
  utimesSync(join(path, 'train/results.csv'), inAnHour, inAnHour);
  const facts = await readFolder({ path, procfs: '/proc', walkLimitMs: 10_000 }, tell);
  t.match(facts, { state: 'there', runFolders: 2, unreadable: 0, isWhole: true, fileSystem: /\w/ });
  t.ok(Math.abs((facts.newestAheadMs ?? 0) - 3_600_000) < 10_000, 'the newest file is an hour ahead');
  t.match(await readFolder({ path, procfs: '/proc', walkLimitMs: 0 }, tell), { isWhole: false });
});

t.test('a folder that is missing, a file, or closed to us is told apart', async (t) => {
  const path = t.testdir({ file: '', closed: {} });
  const look = (name: string) => readFolder({ path: join(path, name), procfs: '/proc', walkLimitMs: 1000 }, tell);
  t.match(await look('missing'), { state: 'missing', newestAheadMs: null });
  t.match(await look('file'), { state: 'not-a-folder' });
  chmodSync(join(path, 'closed'), 0);
  const closed = await look('closed');
  chmodSync(join(path, 'closed'), 0o700);
  t.match(closed, isRoot ? { state: 'there' } : { state: 'unreadable', code: 'EACCES' });
});

t.test('a database is known by its header, also while its first pages are still in the log', async (t) => {
  const path = join(t.testdir({ other: 'no database at all', empty: '' }), 'signalbox.db');
  const look = (file = path) => readDatabase({ path: file, procfs: '/proc' }, tell);
  t.match(await look(), { file: null, holder: { kind: 'nobody' }, hasFolder: true, refusal: null });
  const store = openStore({ path, migrations: MIGRATIONS });
  const open = await look();
  t.match(open.file, { kind: 'signalbox', refusal: null });
  t.ok((open.file?.schema ?? 0) >= 5);
  t.same(open.holder, { kind: 'process', pid: process.pid });
  store.close();
  const closed = await look();
  t.equal(closed.file?.schema, open.file?.schema);
  t.same(closed.holder, { kind: 'nobody' });
  t.match((await look(join(path, '../other'))).file, { kind: 'no-database' });
  t.match((await look(join(path, '../empty'))).file, { kind: 'empty' });
  t.match(await look(join(path, '../a/b/c.db')), { hasFolder: false, file: null });
});

t.test('a hint of a change in a folder of our own comes, and nothing is left in it', async (t) => {
  const folder = t.testdir({});
  t.match(await tryHints({ folder, waitMs: 5000 }, tell), { kind: 'came', afterMs: Number });
  t.same(readdirSync(folder), []);
});

const fakeMachine = (t: Test) => {
  const root = t.testdir({
    dev: { nvidia0: '', nvidiactl: '', 'nvidia-uvm': '', null: '', shm: {} },
    sys: {
      module: { nvidia: { version: '550.163.01\n' }, nouveau: {} },
      bus: {
        pci: {
          devices: {
            '0000:01:00.0': { vendor: '0x10de\n', class: '0x030200\n' },
            '0000:01:00.1': { vendor: '0x10de\n', class: '0x040300\n' },
            '0000:02:00.0': { vendor: '0x1002\n', class: '0x030000\n' },
          },
        },
      },
    },
    proc: {
      42: { comm: 'chronyd\n' },
      sys: { kernel: { dmesg_restrict: '1\n' }, fs: { inotify: { max_user_watches: '8192\n' } } },
    },
    run: { '.containerenv': '' },
  });
  return { root, devfs: join(root, 'dev'), sysfs: join(root, 'sys'), procfs: join(root, 'proc') };
};

t.test('boards, driver and device files are seen without a library', async (t) => {
  const places = fakeMachine(t);
  const facts = await readDevices(places, tell);
  t.match(facts, { boards: ['0000:01:00.0'], driver: '550.163.01', hasNouveau: true, isWsl: false });
  t.same(
    facts.nodes.map(({ path, refusal }) => [path.slice(places.devfs.length + 1), refusal]),
    [
      ['nvidia-uvm', null],
      ['nvidia0', null],
      ['nvidiactl', null],
    ],
  );
  const bare = await readDevices({ devfs: join(places.root, 'run'), sysfs: join(places.root, 'run') }, tell);
  t.same(bare, { boards: [], driver: null, hasNouveau: false, isWsl: false, nodes: [] });
});

t.test('what the machine gives and withholds is read from its files', async (t) => {
  const places = { ...fakeMachine(t), isKubernetes: false };
  t.match(await readMachine(places), {
    container: 'Podman',
    kernelLog: { refusal: 'ENOENT', dmesgRestrict: '1' },
    pressure: 'ENOENT',
    inotify: { watches: 8192, instances: null },
    clock: { isSynchronized: null, keeper: 'chronyd' },
    limits: { memory: null, cpuCores: null },
  });
  mkdirSync(join(places.root, 'run/systemd/timesync'), { recursive: true });
  writeFileSync(join(places.root, 'run/systemd/timesync/synchronized'), '');
  t.match(await readMachine({ ...places, isKubernetes: true }), {
    container: 'Kubernetes',
    clock: { isSynchronized: true, keeper: 'systemd-timesyncd' },
  });
});

t.test('the inotify watches that our user has in use are counted', async (t) => {
  const uid = process.getuid?.() ?? 0;
  const count = async () => (await readProcesses({ procfs: '/proc', uid }, tell)).inotify;
  const folder = t.testdir({});
  const watcher = watch(folder);
  const facts = await count();
  watcher.close();
  t.ok(facts.watches >= 1 && facts.instances >= 1, `${facts.watches} watches, ${facts.instances} instances`);
  const other = await readProcesses({ procfs: '/proc', uid: 65_000 }, tell);
  t.ok(other.seen > 0);
  t.same(other.inotify, { watches: 0, instances: 0, isWhole: true });
});

t.test('a port is free, taken by a Signalbox, or by somebody who says nothing', async (t) => {
  const at = (port: number) => readNetwork({ host: '127.0.0.1', port, limitMs: 500 });
  const server = await startServer();
  t.teardown(server.close);
  const ours = await at(Number(new URL(server.url).port));
  t.match(ours.state, { kind: 'taken', isSignalbox: true, version: String });
  const silent = createServer().listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await new Promise((resolve) => silent.once('listening', resolve));
  // A server that listens on TCP has an address with a port.
  const { port } = silent.address() as AddressInfo;
  t.same((await at(port)).state, { kind: 'taken', isSignalbox: false, version: null });
  t.match((await at(0)).state, { kind: 'free' });
  t.match((await readNetwork({ host: '192.0.2.1', port: 0, limitMs: 500 })).state, { kind: 'refused' });
});

t.test('whoever has taken the port does not learn the token, nor lead us elsewhere', async (t) => {
  const asked: object[] = [];
  const stranger = createHttpServer((request, response) => {
    asked.push({ authorization: request.headers.authorization });
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  }).listen(0, '127.0.0.1');
  t.teardown(() => stranger.close());
  await new Promise((resolve) => stranger.once('listening', resolve));
  // A server that listens on TCP has an address with a port.
  const { port } = stranger.address() as AddressInfo;
  const { state } = await readNetwork({ host: '127.0.0.1', port, limitMs: 500 });
  t.match(state, { kind: 'taken', isSignalbox: false });
  t.same(asked, [{ authorization: undefined }]);
});

t.test('nvidia-smi is asked for its fields, then once for all of them', async (t) => {
  const ask = (program: string, limitMs: number) =>
    readNvidiaSmi((args) => runProgram(program, args, { limitMs, environment: process.env }));
  t.match(await ask(createStage(t).program, 20_000), {
    kind: 'answers',
    driver: '550.163.01',
    gpus: [{ index: 0 }, { index: 1 }],
  });
  t.match(await ask('/nonexistent/nvidia-smi', 20_000), { kind: 'missing', code: 'ENOENT' });
  const failing = createStage(t, { fault: { kind: 'die', afterRounds: 0, code: 9 } });
  t.match(await ask(failing.program, 20_000), { kind: 'failing', why: /driver is not loaded/ });
  const hanging = join(t.testdir({ hang: '#!/bin/sh\nexec sleep 60\n' }), 'hang');
  chmodSync(hanging, 0o755);
  t.same(await ask(hanging, 200), { kind: 'hung', afterMs: 200, asked: '--help-query-gpu' });
});
