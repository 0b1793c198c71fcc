import t, { type Test } from 'tap';
import type { RunOnHost } from '../src/core/attribution.ts';
import type { ObservedGpu, ObservedProcess } from '../src/core/batch.ts';
import { createGpuUse } from '../src/gpu-use.ts';
import { open as openStore } from './store/open-store.ts';

const AT = 1_757_427_471_000;

const gpu = (uuid: string, index: number, over: Partial<ObservedGpu> = {}): ObservedGpu => ({
  uuid,
  index,
  name: 'NVIDIA A100',
  driver: '550',
  memoryTotal: 2 ** 35,
  powerLimit: 250,
  ...over,
});
const instance = (uuid: string, index: number): ObservedGpu =>
  gpu(uuid, 0, { mig: { parent: 'GPU-a', index, gpuInstance: 7 + index, computeInstance: 0, profile: '1g.5gb' } });

const process = (over: Partial<ObservedProcess> = {}): ObservedProcess => ({
  gpuUuid: 'GPU-a',
  pid: 100,
  memory: 2 ** 30,
  user: 'bob',
  command: 'python train.py',
  cwd: null,
  startedAt: AT,
  openFolders: [],
  ...over,
});

const run = (id: string): RunOnHost => ({ id, path: `/p/runs/${id}`, startedAt: AT, args: {} });

const open = (t: Test, gpus: readonly ObservedGpu[]) => {
  const store = openStore();
  t.teardown(() => store.close());
  store.saveGpus(gpus, AT);
  const use = createGpuUse({ store });
  use.setGpus(gpus);
  const shown = (uuid: string) => store.listGpus().find((listed) => listed.uuid === uuid);
  return { use, shown };
};

t.test('a training outside the watched folders is shown with the folder to add, a run’s own is not', async (t) => {
  const { use, shown } = open(t, [gpu('GPU-a', 0)]);
  const processes = [process(), process({ pid: 101, openFolders: ['/p/runs/one'] }), process({ pid: 102 })];
  use.hear({ processes });
  use.attribute([run('one')]);
  t.same(
    use.strangers().map(({ pid }) => pid),
    [100, 102],
  );
  const unwatched = [100, 101].map((pid) => ({ pid, startedAt: AT, folder: '/bob/runs' }));
  t.ok(use.hear({ unwatched }), 'that is news');
  t.notOk(use.hear({ unwatched }), 'once');
  use.attribute([run('one')]);
  t.match(shown('GPU-a')?.processes, [
    { pid: 100, run: null, confidence: null, unwatched: '/bob/runs', user: 'bob' },
    { pid: 101, run: 'one', confidence: 0.95, unwatched: null },
    { pid: 102, run: null, unwatched: null },
  ]);
  use.hear({ processes: [process({ startedAt: AT + 1 })] });
  use.attribute([run('one')]);
  t.match(shown('GPU-a')?.processes, [{ pid: 100, unwatched: null }], 'another process of the same pid');
});

t.test('processes that cannot be known are null, with the reason', async (t) => {
  const { use, shown } = open(t, [gpu('GPU-a', 0)]);
  use.hear({ processes: null, processesUnknown: 'a container without the host’s pids' });
  use.attribute([]);
  t.match(shown('GPU-a'), { processes: null, processesUnknown: 'a container without the host’s pids' });
  use.hear({ processes: [] });
  use.attribute([]);
  t.match(shown('GPU-a'), { processes: [], processesUnknown: null });
});

t.test('the variable that a training was started with tells its GPU where no process can be seen', async (t) => {
  const { use } = open(t, [gpu('GPU-a', 0), gpu('GPU-b', 1)]);
  use.attribute([run('one')]);
  t.same(use.gpusOf('one'), []);
  const environment = { CUDA_VISIBLE_DEVICES: '1' };
  t.ok(use.hear({ processTrees: [{ run: 'one', processes: [], environment }] }));
  use.attribute([run('one')]);
  t.same(use.gpusOf('one'), ['GPU-b']);
});

t.test('MIG instances are GPUs of their own beside the one that they divide', async (t) => {
  const gpus = [gpu('GPU-a', 0), instance('MIG-x', 0), instance('MIG-y', 1), gpu('GPU-b', 1)];
  const { use, shown } = open(t, gpus);
  t.notOk(use.setGpus(gpus), 'nothing moved');
  use.hear({
    processes: [
      process({ gpuUuid: 'MIG-x', pid: 1, openFolders: ['/p/runs/one'] }),
      process({ gpuUuid: 'MIG-y', pid: 2, openFolders: ['/p/runs/two'], memory: 2 ** 20 }),
    ],
  });
  use.attribute([run('one'), run('two')]);
  t.same(use.subjectsOf('one'), ['gpu:0:0']);
  t.same(use.subjectsOf('two'), ['gpu:0:1']);
  t.equal(use.runMemoryOn('MIG-y'), 2 ** 20);
  t.equal(use.runOf('GPU-a'), null);
  t.match(shown('MIG-y'), { run: 'two', processes: [{ pid: 2 }] });
  t.ok(use.setGpus([instance('MIG-z', 1)]), 'an instance that was made anew');
  t.equal(use.placeOf('MIG-y'), undefined);
  t.equal(use.subjectOf('MIG-z'), 'gpu:0:1');
});
