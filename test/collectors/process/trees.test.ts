import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createProcessTrees } from '../../../src/collectors/process/trees.ts';
import type { Sample } from '../../../src/core/sample.ts';
import { createProcessStage, STAGED_PAGE_BYTES, type StagedProcess } from './stage.ts';

const SIGNAL = new AbortController().signal;
const AT = 1_757_427_471_000;
const TRAIN = ['/usr/bin/python3', 'train.py', '--token', 'geheim'];
const MIB = 2 ** 20;

type TreeRun = { readonly run: string; readonly pids: readonly number[] };

const open = (t: Test, first: readonly TreeRun[] = [{ run: 'one', pids: [10] }]) => {
  const stage = createProcessStage(t);
  let now = AT;
  let runs = first;
  const trees = createProcessTrees({
    procfs: stage.procfs,
    runs: () => runs,
    intervalMs: 1000,
    clock: { now: () => now, after: () => () => {} },
  });
  return {
    ...stage,
    put: (process: Partial<StagedProcess> & { readonly pid: number }) =>
      stage.put({ startedAt: AT - 60_000, command: TRAIN, ...process }),
    look: () => trees.collect(SIGNAL),
    pass: (ms: number) => {
      now += ms;
    },
    watch: (next: readonly TreeRun[]) => {
      runs = next;
    },
  };
};

const valuesOf = (samples: readonly Sample[] | undefined, run = 'one') =>
  samples?.find(({ subject }) => subject === `run:${run}`)?.values;

t.test('a training, its workers and what each of them uses are told, and their sums', async (t) => {
  const { put, look, pass } = open(t);
  const pages = { resident: 1000, shared: 400 };
  const both = (seconds: number) => {
    const io = { read: seconds * 4 * MIB, written: seconds * MIB };
    put({ pid: 10, cpuMs: seconds * 1200, pages, io, environ: { CUDA_VISIBLE_DEVICES: '1', TOKEN: 'geheim' } });
    put({ pid: 11, parent: 10, cpuMs: seconds * 800, pages, io, state: 'R' });
    put({ pid: 12, parent: 10, cpuMs: seconds * 100, pages, io, state: 'D' });
  };
  both(50);
  const first = await look();
  t.match(first.processTrees, [{ run: 'one', environment: { CUDA_VISIBLE_DEVICES: '1' } }]);
  t.match(
    valuesOf(first.samples),
    { cpu: null, diskRead: null, workersCpu: null, processes: 3, workers: 2 },
    'rates take two looks',
  );
  pass(1000);
  both(51);
  const { samples, processTrees } = await look();
  t.same(
    samples?.map(({ subject, at }) => ({ subject, at })),
    [{ subject: 'run:one', at: AT + 1000 }],
  );
  t.same(valuesOf(samples), {
    cpu: 210,
    memory: (1000 + 600 + 600) * STAGED_PAGE_BYTES,
    diskRead: 12 * MIB,
    diskWrite: 3 * MIB,
    processes: 3,
    workers: 2,
    workersCpu: 45,
    workersBlocked: 0.5,
  });
  t.same(processTrees?.[0]?.processes[2], {
    pid: 12,
    parent: 10,
    role: 'worker',
    command: '/usr/bin/python3 train.py --token ***',
    state: 'D',
    startedAt: AT - 60_000,
    cpu: 10,
    memory: 600 * STAGED_PAGE_BYTES,
    diskRead: 4 * MIB,
    diskWrite: MIB,
  });
  t.notMatch(JSON.stringify(processTrees), /geheim/);
});

t.test('where the I/O of another user may not be read it is not known, and not 0', async (t) => {
  const { put, look, pass } = open(t);
  put({ pid: 10, cpuMs: 0 });
  await look();
  pass(1000);
  put({ pid: 10, cpuMs: 500 });
  t.match(valuesOf((await look()).samples), { cpu: 50, diskRead: null, diskWrite: null, memory: null });
});

t.test('workers that come are found within seconds, those that go are missed at once', async (t) => {
  const { put, look, pass, remove } = open(t);
  put({ pid: 10 });
  put({ pid: 11, parent: 10 });
  t.match(valuesOf((await look()).samples), { workers: 1 });
  put({ pid: 12, parent: 10 });
  remove(11);
  pass(1000);
  t.match(valuesOf((await look()).samples), { workers: 0, processes: 1 });
  pass(4000);
  t.match(valuesOf((await look()).samples), { workers: 1, processes: 2 });
});

t.test('a pid that was given to another process does not go on where the old one ended', async (t) => {
  const { put, look, pass } = open(t);
  put({ pid: 10 });
  put({ pid: 11, parent: 10, cpuMs: 60_000 });
  await look();
  pass(1000);
  put({ pid: 11, parent: 10, cpuMs: 70_000, startedAt: AT });
  t.match((await look()).processTrees?.[0]?.processes, [{}, { pid: 11, cpu: null }]);
  pass(1000);
  put({ pid: 11, parent: 1, cpuMs: 70_000, startedAt: AT + 1000 });
  t.match(valuesOf((await look()).samples), { processes: 1 }, 'nor is a stranger’s process the run’s');
});

t.test('a process that runs another program is called by that', async (t) => {
  const { put, look, pass } = open(t);
  put({ pid: 10 });
  put({ pid: 11, parent: 10 });
  t.match((await look()).processTrees?.[0]?.processes, [{}, { role: 'worker' }]);
  pass(1000);
  put({ pid: 11, parent: 10, name: 'git) D (', command: ['git', 'describe'] });
  t.match((await look()).processTrees?.[0]?.processes, [{}, { role: 'helper', command: 'git describe', state: 'S' }]);
});

t.test('two runs under one shell keep their processes apart', async (t) => {
  const { put, look } = open(t, [
    { run: 'one', pids: [10, 5] },
    { run: 'two', pids: [20, 5] },
  ]);
  put({ pid: 5, command: ['bash', 'all.sh'] });
  for (const pid of [10, 20]) {
    put({ pid, parent: 5 });
    put({ pid: pid + 1, parent: pid });
  }
  const pidsOf = async () =>
    (await look()).processTrees?.map(({ run, processes }) => [run, processes.map(({ pid }) => pid)]);
  t.same(await pidsOf(), [
    ['one', [10, 11]],
    ['two', [20, 21]],
  ]);
});

t.test('a run inside another one is not counted twice', async (t) => {
  const { put, look } = open(t, [
    { run: 'one', pids: [10] },
    { run: 'two', pids: [12] },
  ]);
  put({ pid: 10 });
  put({ pid: 12, parent: 10, command: ['python', 'other.py'] });
  put({ pid: 13, parent: 12, command: ['python', 'other.py'] });
  const { samples } = await look();
  t.match(valuesOf(samples, 'one'), { processes: 1, workers: 0 });
  t.match(valuesOf(samples, 'two'), { processes: 2, workers: 1 });
});

t.test('a run whose processes are gone, hidden or too many is not told of, and the others are', async (t) => {
  const { put, putCrowd, look, watch, procfs } = open(t, [
    { run: 'gone', pids: [9] },
    { run: 'hidden', pids: [8] },
    { run: 'bomb', pids: [100] },
    { run: 'one', pids: [10] },
  ]);
  put({ pid: 10 });
  put({ pid: 8 });
  writeFileSync(join(procfs, '8/stat'), '');
  put({ pid: 100 });
  putCrowd(101, 700, 100);
  t.same(
    (await look()).processTrees?.map(({ run }) => run),
    ['one'],
  );
  watch([]);
  t.same(await look(), { processTrees: [], samples: [] }, 'that nothing is left is said');
  t.same(await look(), {}, 'once');
});

t.test('the kernel’s lists of children are taken where it has them', async (t) => {
  const { put, look, procfs } = open(t);
  put({ pid: 10, children: { 10: [11], 15: [12] } });
  put({ pid: 11, parent: 10, children: { 11: [] } });
  put({ pid: 12, parent: 10 });
  put({ pid: 13, parent: 10 });
  t.match(readFileSync(join(procfs, '10/task/15/children'), 'utf8'), '12 ');
  t.same(
    (await look()).processTrees?.[0]?.processes.map(({ pid }) => pid),
    [10, 11, 12],
    'of every thread; 13 is in no list',
  );
});

t.test('among thousands of processes a run’s own are found, a chunk at a time', async (t) => {
  const { put, putCrowd, look } = open(t);
  put({ pid: 10 });
  for (const pid of [9000, 9001]) put({ pid, parent: 10 });
  putCrowd(1000, 6000);
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  t.teardown(() => clearInterval(turn));
  t.match(valuesOf((await look()).samples), { processes: 3, workers: 2 });
  t.ok(turns > 0, 'others had their turn meanwhile');
});

t.test('nothing is said where there is no /proc', async (t) => {
  const clock = { now: () => AT, after: () => () => {} };
  const runs = () => [{ run: 'one', pids: [10] }];
  const trees = createProcessTrees({ procfs: '/nonexistent', runs, intervalMs: 1000, clock });
  t.same(await trees.collect(SIGNAL), { processTrees: [], samples: [] });
});
