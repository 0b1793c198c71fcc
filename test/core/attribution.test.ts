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

t.test('two runs below the working folder of a process leave it without a run', async (t) => {
  const { runs, processes } = attributeGpus([run('one'), run('two')], GPUS, [process({ cwd: '/home/ann' })]);
  t.equal(processes.size, 0);
  t.same(runs.get('one'), { gpus: [], pids: [] });
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
