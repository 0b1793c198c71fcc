import t from 'tap';
import { type GpuFacts, judgeGpu } from '../../src/doctor/checks/gpu.ts';
import type { NvmlFacts } from '../../src/doctor/facts/nvml.ts';
import { checkOf, statuses } from './judged.ts';

const KOFFI = '/opt/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node';
const A100 = { name: 'NVIDIA A100', driver: '550.163.01', memoryTotal: 42_949_672_960, powerLimit: 400 };
const ANSWERS: NvmlFacts = {
  kind: 'answers',
  koffi: KOFFI,
  library: '/usr/lib/libnvidia-ml.so.1',
  driver: '550.163.01',
  version: '12.550.163.01',
  cuda: '12.4',
  gpus: [
    { ...A100, uuid: 'GPU-a', index: 0 },
    { ...A100, uuid: 'GPU-b', index: 1 },
  ],
  notes: [],
  extras: {},
  remarks: [],
  missing: [],
  calls: [],
  tick: { count: 20, medianUs: 300, p95Us: 400, maxUs: 500 },
  processesUnknown: null,
};
const GOOD: GpuFacts = {
  devices: {
    boards: ['0000:01:00.0', '0000:02:00.0'],
    driver: '550.163.01',
    hasNouveau: false,
    isWsl: false,
    nodes: [
      { path: '/dev/nvidia0', refusal: null },
      { path: '/dev/nvidiactl', refusal: null },
    ],
  },
  nvml: { kind: 'answered', value: ANSWERS },
  smi: {
    kind: 'answers',
    driver: '550.163.01',
    gpus: [{ index: 0, name: 'NVIDIA A100' }],
    withoutField: [],
    tookMs: 25,
  },
  named: { library: null, program: null },
  container: null,
  intervalMs: 1000,
};
const NO_LIBRARY = { kind: 'answered', value: { kind: 'no-library', koffi: KOFFI, why: 'it is not there' } } as const;
const NOTHING: GpuFacts = {
  ...GOOD,
  devices: { boards: [], driver: null, hasNouveau: false, isWsl: false, nodes: [] },
  nvml: NO_LIBRARY,
  smi: { kind: 'missing', code: 'ENOENT' },
};
const driverOf = (facts: Partial<GpuFacts>, devices: Partial<GpuFacts['devices']> = {}) =>
  checkOf(judgeGpu({ ...NOTHING, ...facts, devices: { ...NOTHING.devices, ...devices } }), 'gpu-driver');

t.test('GPUs that answer on both ways are named, with the driver', async (t) => {
  const checks = judgeGpu(GOOD);
  t.match(checkOf(checks, 'gpu-driver'), {
    status: 'ok',
    says: '550.163.01, CUDA up to 12.4; 2 × NVIDIA A100',
  });
  t.match(statuses(checks), { 'gpu-devices': 'ok', 'gpu-nvml': 'ok', 'nvidia-smi': 'ok' });
});

t.test('a machine without a GPU gets one line that says it is a normal state', async (t) => {
  const checks = judgeGpu(NOTHING);
  t.same(statuses(checks), { gpu: 'ok' });
  t.match(checks[0]?.says, /watched all the same/);
});

t.test('a library that was named and is not there is a problem, even without a GPU', async (t) => {
  const checks = judgeGpu({ ...NOTHING, named: { library: '/opt/libnvidia-ml.so.1', program: null } });
  t.match(checkOf(checks, 'gpu-nvml'), { status: 'problem', says: 'it is not there' });
});

t.test('a board without its driver is a problem, and what to do depends on where we are', async (t) => {
  const boards = ['0000:01:00.0'];
  t.match(driverOf({}, { boards }), { status: 'problem', says: /not loaded/, fix: [/modprobe nvidia/] });
  t.match(driverOf({}, { boards, hasNouveau: true }), { says: /nouveau/, fix: [/blacklist nouveau/, /modprobe/] });
  t.match(driverOf({ container: 'Docker' }, { boards }), { status: 'problem', fix: [/--gpus all/, /nvidia.com\/gpu/] });
  t.match(driverOf({}, { isWsl: true }), { status: 'problem', says: /Windows/ });
  t.match(driverOf({}, { boards, driver: '550.1' }), { status: 'problem', says: /550\.1 is loaded, and neither/ });
});

t.test('a driver that works and has no GPU is worth a warning', async (t) => {
  const empty: NvmlFacts = { ...ANSWERS, gpus: [] };
  t.match(driverOf({ nvml: { kind: 'answered', value: empty }, smi: { kind: 'no-gpu' } }), { status: 'warning' });
});

t.test('the rights of the device files tell a missing group from a cgroup that shuts us out', async (t) => {
  const nodesOf = (refusal: string, container: string | null = null) =>
    checkOf(
      judgeGpu({ ...GOOD, container, devices: { ...GOOD.devices, nodes: [{ path: '/dev/nvidia0', refusal }] } }),
      'gpu-devices',
    );
  t.match(nodesOf('EACCES'), { status: 'problem', says: /\/dev\/nvidia0 \(EACCES\)/, fix: [/usermod/] });
  t.match(nodesOf('EPERM', 'Docker'), { status: 'problem', says: /cgroup/, fix: [/restart the container/] });
  const none = judgeGpu({ ...GOOD, devices: { ...GOOD.devices, nodes: [] } });
  t.match(checkOf(none, 'gpu-devices'), { status: 'problem', fix: [/nvidia-modprobe/] });
});

t.test('a call that hangs is named, with what to do', async (t) => {
  const hung = { kind: 'hung', afterMs: 20_000, doing: 'calling nvmlInit_v2', isStuck: false } as const;
  t.match(checkOf(judgeGpu({ ...GOOD, nvml: hung }), 'gpu-nvml'), {
    status: 'problem',
    says: 'the driver did not answer within 20 s while calling nvmlInit_v2; the process that asked was killed',
    fix: [/NVRM: Xid/, /reboot/],
  });
  const stuck = checkOf(judgeGpu({ ...GOOD, nvml: { ...hung, isStuck: true } }), 'gpu-nvml');
  t.match(stuck.says, /not even SIGKILL/);
});

t.test('a look that crashed is not known, not a verdict on the driver', async (t) => {
  const died = { kind: 'died', why: 'its process was ended by SIGSEGV', doing: 'loading the library' } as const;
  t.match(checkOf(judgeGpu({ ...GOOD, nvml: died }), 'gpu-nvml'), {
    status: 'unknown',
    says: /while loading the library: its process was ended by SIGSEGV/,
  });
});

t.test('nvidia-smi: missing, hung, failing, slow and short of fields', async (t) => {
  const smiOf = (smi: GpuFacts['smi']) => checkOf(judgeGpu({ ...GOOD, smi }), 'nvidia-smi');
  t.match(smiOf({ kind: 'missing', code: 'ENOENT' }), { status: 'warning', says: /no second way/ });
  t.match(smiOf({ kind: 'hung', afterMs: 45_000, asked: '--query-gpu' }), { status: 'problem', says: /45 s/ });
  t.match(smiOf({ kind: 'failing', why: 'the NVIDIA driver is not loaded' }), { status: 'problem' });
  t.match(smiOf({ kind: 'no-gpu' }), { status: 'warning' });
  const answers = { kind: 'answers', driver: '470.1', gpus: [], withoutField: ['memoryReserved'], tookMs: 25 } as const;
  t.match(smiOf(answers), { status: 'ok', says: 'answers in 25 ms; has no field for memoryReserved' });
  t.match(smiOf({ ...answers, tookMs: 4000 }), { status: 'warning', says: /answers in 4 s/, fix: [/-pm 1/] });
});
