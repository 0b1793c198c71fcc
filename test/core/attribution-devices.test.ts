import t from 'tap';
import { attributeGpus } from '../../src/core/attribution.ts';
import { devicesOf, type GpuPlace } from '../../src/core/attribution-devices.ts';

const A100 = 'NVIDIA A100-SXM4-40GB';
const GPUS: readonly GpuPlace[] = ['a', 'b', 'c'].map((id, index) => ({ uuid: `GPU-${id}`, index, name: A100 }));
const instance = (index: number): GpuPlace => ({
  uuid: `MIG-${index}`,
  index: 0,
  name: A100,
  mig: { parent: 'GPU-a', index, gpuInstance: 7 + index, computeInstance: 0, profile: '1g.5gb' },
});
const DIVIDED = [...GPUS, instance(0), instance(1)];
const named = (device: unknown, environment: Record<string, string> | null = null, gpus = GPUS) =>
  devicesOf({ device }, gpus, environment).named;

t.test('without a device the first GPU that the process sees is meant', async (t) => {
  t.same(named(null, { CUDA_VISIBLE_DEVICES: '2,1' }), ['GPU-c']);
  t.same(named('', { CUDA_VISIBLE_DEVICES: 'GPU-b' }), ['GPU-b']);
  t.same(named(null, { CUDA_VISIBLE_DEVICES: '' }), [], 'it sees none');
  t.same(named(null, {}), [], 'it sees all, and any may be first');
});

t.test('a number with a variable names a GPU where both readings agree, else it only allows both', async (t) => {
  t.same(named(0, { CUDA_VISIBLE_DEVICES: '0,1' }), ['GPU-a']);
  const split = devicesOf({ device: 0 }, GPUS, { CUDA_VISIBLE_DEVICES: '2' });
  t.same(split.named, []);
  t.same(
    GPUS.filter(({ uuid }) => split.allows(uuid)).map(({ uuid }) => uuid),
    ['GPU-a', 'GPU-c'],
  );
});

t.test('a MIG instance is meant by its UUID, in the old form too, or as the only one of its GPU', async (t) => {
  t.same(named(null, { CUDA_VISIBLE_DEVICES: 'MIG-1' }, DIVIDED), ['MIG-1']);
  t.same(named(null, { CUDA_VISIBLE_DEVICES: 'MIG-GPU-a/8/0' }, DIVIDED), ['MIG-1']);
  t.same(named(0, null, [...GPUS, instance(0)]), ['MIG-0']);
  t.same(named(0, null, DIVIDED), [], 'which of two nobody says');
  t.same(named(1, null, DIVIDED), ['GPU-b']);
});

t.test('a run on an instance is allowed where the driver lists the process on the whole GPU', async (t) => {
  const { allows } = devicesOf(null, DIVIDED, { CUDA_VISIBLE_DEVICES: 'MIG-1' });
  t.ok(allows('MIG-1'));
  t.ok(allows('GPU-a'));
  t.notOk(allows('MIG-0'));
  t.notOk(allows('GPU-b'));
});

t.test('among different GPUs CUDA counts in another order than the driver, unless it is told not to', async (t) => {
  const mixed = [...GPUS.slice(0, 2), { uuid: 'GPU-d', index: 2, name: 'NVIDIA T4' }];
  t.same(named(1, null, mixed), []);
  t.ok(devicesOf({ device: 1 }, mixed, null).allows('GPU-d'));
  t.same(named(1, { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }, mixed), ['GPU-b']);
});

t.test('what is no GPU names none', async (t) => {
  for (const device of ['cpu', 'mps', '9', '-1', 'GPU-', 'x', [], {}, true]) t.same(named(device), [], String(device));
  for (const list of ['-1', 'NoDevFiles', ',', 'GPU-', '9', '9,0']) {
    t.same(named(null, { CUDA_VISIBLE_DEVICES: list }), [], list);
  }
  t.ok(devicesOf({ device: '-1' }, GPUS, null).allows('GPU-b'), '-1 leaves the choice to the trainer');
  t.notOk(devicesOf({ device: 'cpu' }, GPUS, null).allows('GPU-b'));
});

t.test('a run in a container, where no process can be seen, has the GPU that its environment names', async (t) => {
  const environment = { CUDA_VISIBLE_DEVICES: '1' };
  const run = { id: 'one', path: '/p/runs/train', startedAt: 1000, args: {}, environment };
  t.same(attributeGpus([run], GPUS, null).runs.get('one')?.gpus, ['GPU-b']);
});
