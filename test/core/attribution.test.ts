import t from 'tap';
import { attributeGpus, type RunOnHost } from '../../src/core/attribution.ts';
import type { ObservedProcess } from '../../src/core/batch.ts';

const GPUS = [
  { uuid: 'GPU-a', index: 0 },
  { uuid: 'GPU-b', index: 1 },
];

const run = (id: string, args: Record<string, unknown> | null = null, startedAt = 1000): RunOnHost => ({
  id,
  path: `/home/ann/${id}/runs/detect/train`,
  startedAt,
  args,
});

const process = (over: Partial<ObservedProcess>): ObservedProcess => ({
  gpuUuid: 'GPU-a',
  pid: 100,
  memory: 2 ** 30,
  user: 'ann',
  command: 'python train.py',
  cwd: null,
  startedAt: 500,
  openFolders: [],
  ...over,
});

t.test('a process that holds a file of the run folder open decides, whatever the args say', async (t) => {
  const one = run('one', { device: 0 });
  const { runs, gpus } = attributeGpus([one], GPUS, [process({ gpuUuid: 'GPU-b', openFolders: [one.path] })]);
  t.same(runs.get('one'), { gpus: ['GPU-b'], pids: [100] });
  t.equal(gpus.get('GPU-a'), undefined);
});

t.test('a process whose working folder holds exactly one active run belongs to that run', async (t) => {
  const { runs, processes } = attributeGpus([run('one'), run('two')], GPUS, [process({ cwd: '/home/ann/two' })]);
  t.same(runs.get('two'), { gpus: ['GPU-a'], pids: [100] });
  t.ok((processes.get(100)?.confidence ?? 1) < 0.8, 'with less confidence than an open file');
});

t.test('of two runs below the working folder the one that began with the process is its own', async (t) => {
  const [first, second] = [
    { ...run('one'), path: '/p/runs/train', startedAt: 60_000 },
    { ...run('two'), path: '/p/runs/train2', startedAt: 3_000_000 },
  ];
  const processes = [
    process({ pid: 1, cwd: '/p', startedAt: 50_000 }),
    process({ pid: 2, cwd: '/p', startedAt: 2_990_000, gpuUuid: 'GPU-b' }),
  ];
  const { runs } = attributeGpus([first, second], GPUS, processes);
  t.same(runs.get('one'), { gpus: ['GPU-a'], pids: [1] });
  t.same(runs.get('two'), { gpus: ['GPU-b'], pids: [2] });
});

t.test(
  'two runs that began at the same moment leave a process without a run, unless device tells them apart',
  async (t) => {
    const untold = attributeGpus([run('one'), run('two')], GPUS, [process({ cwd: '/home/ann' })]);
    t.equal(untold.processes.size, 0);
    t.same(untold.runs.get('one'), { gpus: [], pids: [] });
    const told = attributeGpus([run('one', { device: 0 }), run('two', { device: 1 })], GPUS, [
      process({ cwd: '/home/ann', gpuUuid: 'GPU-b' }),
    ]);
    t.same(told.runs.get('two'), { gpus: ['GPU-b'], pids: [100] });
  },
);

t.test('a process stays with its run while both live, whatever begins later', async (t) => {
  const one = run('one');
  const processes = [process({ cwd: '/home/ann' })];
  const first = attributeGpus([one], GPUS, processes);
  t.same(first.runs.get('one')?.pids, [100]);
  const then = attributeGpus([one, run('two')], GPUS, processes, first.processes);
  t.same(then.runs.get('one')?.pids, [100]);
  const reused = attributeGpus(
    [one, run('two')],
    GPUS,
    [process({ cwd: '/home/ann', startedAt: 999 })],
    then.processes,
  );
  t.same(reused.runs.get('one')?.pids, [], 'a pid that was given again is another process');
});

t.test('a command line that names another path which begins alike is not a match', async (t) => {
  const one = run('one');
  const weights = (path: string) => [process({ command: `python val.py model=${path}/weights/best.pt` })];
  t.equal(attributeGpus([one], GPUS, weights(`${one.path}2`)).processes.size, 0);
  t.equal(attributeGpus([one], GPUS, weights(one.path)).processes.get(100)?.run, 'one');
});

t.test('a server that works in the same folder since long ago is not part of the run', async (t) => {
  const { processes } = attributeGpus([run('one', null, 90_000_000)], GPUS, [process({ cwd: '/home/ann/one' })]);
  t.equal(processes.size, 0);
});

t.test('a process that began long after the run did is not its own', async (t) => {
  const { processes } = attributeGpus([run('one', null, 1000)], GPUS, [
    process({ cwd: '/home/ann/one', startedAt: 1000 + 10 * 60_000 }),
  ]);
  t.equal(processes.size, 0);
});

t.test(
  'without a matching process the device of the args is believed, in every form that Ultralytics takes',
  async (t) => {
    for (const device of [1, '1', 'cuda:1', [1]]) {
      const { runs } = attributeGpus([run('one', { device })], GPUS, null);
      t.same(runs.get('one')?.gpus, ['GPU-b'], JSON.stringify(device));
    }
    t.same(attributeGpus([run('one', { device: '0,1' })], GPUS, null).runs.get('one')?.gpus, ['GPU-a', 'GPU-b']);
    t.same(attributeGpus([run('one', { device: 'cpu' })], GPUS, null).runs.get('one')?.gpus, []);
  },
);

t.test('no device means the GPU of a host with one GPU, and is ambiguous on a host with several', async (t) => {
  t.same(attributeGpus([run('one', {})], GPUS.slice(0, 1), null).runs.get('one')?.gpus, ['GPU-a']);
  t.same(attributeGpus([run('one', {})], GPUS, null).runs.get('one')?.gpus, []);
});

t.test('a GPU that two runs lay claim to belongs to neither', async (t) => {
  const { runs, gpus } = attributeGpus([run('one', { device: 0 }), run('two', { device: 0 })], GPUS, null);
  t.same(runs.get('one')?.gpus, []);
  t.same(runs.get('two')?.gpus, []);
  t.equal(gpus.size, 0);
});

t.test('a GPU that a process of one run holds is not given to another by its args', async (t) => {
  const [one, two] = [run('one', { device: 0 }), run('two', { device: 0 })];
  const { runs } = attributeGpus([one, two], GPUS, [process({ openFolders: [one.path] })]);
  t.same(runs.get('one')?.gpus, ['GPU-a']);
  t.same(runs.get('two')?.gpus, []);
});
