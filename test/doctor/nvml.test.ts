import t from 'tap';
import { judgeNvml } from '../../src/doctor/checks/nvml.ts';
import type { NvmlAnswers } from '../../src/doctor/facts/nvml.ts';
import { type GpuExtras, ringOf } from '../../src/doctor/facts/nvml-gpu.ts';
import { spread } from '../../src/doctor/facts/timed-calls.ts';
import { checkOf } from './judged.ts';

const EXTRAS: GpuExtras = {
  persistence: true,
  ring: { entries: 100, periodMs: 167, spanMs: 16_500 },
  fields: [
    { id: 83, name: 'energy', reason: null, latencyUs: 25, type: 3 },
    { id: 82, name: 'memory temperature', reason: 'Not Supported', latencyUs: 3, type: 0 },
  ],
  pcieWindowMs: 20.4,
};
const GPU = { name: 'Tesla T4', driver: '550.1', memoryTotal: null, powerLimit: 70, index: 0, uuid: 'GPU-a' };
const GOOD: NvmlAnswers = {
  kind: 'answers',
  koffi: '/x/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node',
  library: '/usr/lib/libnvidia-ml.so.1',
  driver: '550.1',
  version: '12.550.1',
  cuda: '12.4',
  gpus: [GPU],
  notes: [{ uuid: 'GPU-a', trouble: null, absent: { fan: 'Not Supported', memoryTemperature: 'Not Supported' } }],
  extras: { 0: EXTRAS },
  remarks: [],
  missing: [],
  calls: [
    { name: 'nvmlDeviceGetPowerUsage', count: 20, medianUs: 360, p95Us: 700, maxUs: 900 },
    { name: 'nvmlDeviceGetUtilizationRates', count: 20, medianUs: 2.5, p95Us: 3, maxUs: 4 },
  ],
  tick: { count: 20, medianUs: 480, p95Us: 800, maxUs: 900 },
  processesUnknown: null,
};
const one = (id: string, changes: Partial<NvmlAnswers> = {}, intervalMs = 1000) =>
  checkOf(judgeNvml({ ...GOOD, ...changes }, intervalMs), id);
const withExtras = (changes: Partial<GpuExtras>) => ({ extras: { 0: { ...EXTRAS, ...changes } } });

t.test('a healthy driver: what it is, how fast it is, what it does not give', async (t) => {
  t.ok(judgeNvml(GOOD, 1000).every(({ status }) => status === 'ok'));
  t.match(one('koffi').says, 'loads (@koromix/koffi-linux-x64)');
  t.match(one('gpu-nvml').says, '/usr/lib/libnvidia-ml.so.1, version 12.550.1');
  t.match(one('gpu-speed'), {
    says: 'all GPUs are read in 480 µs (median of 20; 95 %: 0.8 ms)',
    details: [
      'slowest calls: nvmlDeviceGetPowerUsage 360 µs (n = 20), nvmlDeviceGetUtilizationRates 2.5 µs (n = 20)',
      'nvmlDeviceGetPcieThroughput blocks for 20 ms; the service never calls it',
    ],
  });
  t.same(one('gpu-metrics').details, ['GPU 0: fan, memoryTemperature: Not Supported']);
  t.same(one('gpu-ring').details, ['GPU 0: 100 entries, one each 167 ms, 16.5 s in all']);
  t.same(one('gpu-fields').details, ['GPU 0: 1 of 2, at most 25 µs each; without memory temperature (Not Supported)']);
});

t.test('without koffi the other way is named; without the library nothing else of NVML is judged', async (t) => {
  const noKoffi = judgeNvml({ kind: 'no-koffi', why: 'the package koffi is not there' }, 1000);
  t.match(checkOf(noKoffi, 'koffi'), { status: 'warning', says: /read by nvidia-smi/, fix: [/npm ci/] });
  const noLibrary = judgeNvml({ kind: 'no-library', koffi: null, why: 'it cannot be loaded' }, 1000);
  t.same(
    noLibrary.map(({ id, status }) => [id, status]),
    [
      ['koffi', 'ok'],
      ['gpu-nvml', 'problem'],
    ],
  );
  const failing = judgeNvml({ kind: 'failing', koffi: null, library: null, why: 'Driver Not Loaded' }, 1000);
  t.match(checkOf(failing, 'gpu-nvml'), { status: 'problem', says: 'Driver Not Loaded' });
});

t.test('functions that an old driver lacks are named, and are no problem', async (t) => {
  t.match(one('gpu-nvml', { missing: ['nvmlDeviceGetMemoryInfo_v2'] }), {
    status: 'ok',
    says: /not in this driver: nvmlDeviceGetMemoryInfo_v2/,
  });
});

t.test('a lost GPU is a problem, whether it could be opened or not', async (t) => {
  t.match(one('gpu-handles', { notes: [{ uuid: 'GPU-a', trouble: 'GPU is lost', absent: {} }] }), {
    status: 'problem',
    says: /^0 of 1/,
    details: ['GPU 0: GPU is lost'],
  });
  t.match(one('gpu-handles', { remarks: ['GPU 1 cannot be opened: GPU is lost'] }), {
    status: 'problem',
    says: /^1 of 2/,
  });
});

t.test('a driver that takes a quarter of the interval is told, with an interval that it can keep', async (t) => {
  const tick = { count: 20, medianUs: 20_000, p95Us: 30_000, maxUs: 50_000 };
  t.match(one('gpu-speed', { tick }, 100), { status: 'warning', fix: ['--gpu-interval 200ms or more'] });
  t.match(one('gpu-speed', { tick }, 1000), { status: 'ok' });
});

t.test('the ring of an idle GPU is not known rather than missing', async (t) => {
  t.match(one('gpu-ring', withExtras({ ring: 'Not Found' })), { status: 'unknown', details: [/idle/] });
});

t.test('persistence mode: off costs seconds, and a refusal is not known', async (t) => {
  t.match(one('gpu-persistence', withExtras({ persistence: false })), { status: 'warning', fix: [/-pm 1/] });
  t.match(one('gpu-persistence', withExtras({ persistence: 'Not Supported' })), { status: 'unknown' });
});

t.test('MIG instances are listed with what is not known of them', async (t) => {
  const mig = { parent: 'GPU-a', index: 0, gpuInstance: 1, computeInstance: 0, profile: '3g.20gb' };
  const instance = { ...GPU, uuid: 'MIG-1', name: 'NVIDIA A100 MIG 3g.20gb', mig };
  t.match(one('gpu-mig', { gpus: [GPU, instance] }), {
    status: 'ok',
    says: /1 instance: .*activity is not/,
    details: ['GPU 0: NVIDIA A100 MIG 3g.20gb'],
  });
});

t.test('processes that may not be listed are a warning', async (t) => {
  t.match(one('gpu-processes', { processesUnknown: 'Insufficient Permissions' }), { status: 'warning' });
});

t.test('the period of a ring comes from its times in any order, entries never written left out', async (t) => {
  t.same(ringOf([0, 500_000, 166_000, 333_000, 0]), { entries: 3, periodMs: 167, spanMs: 334 });
  t.same(ringOf([7000]), { entries: 1, periodMs: null, spanMs: 0 });
  t.same(ringOf([]), { entries: 0, periodMs: null, spanMs: 0 });
});

t.test('a 95th percentile is told of 20 calls and more only', async (t) => {
  const durations = Array.from({ length: 20 }, (_, place) => 20 - place);
  t.same(spread(durations), { count: 20, medianUs: 10, p95Us: 19, maxUs: 20 });
  t.same(spread([3, 1, 2]), { count: 3, medianUs: 2, p95Us: null, maxUs: 3 });
});
