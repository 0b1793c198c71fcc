// Who is on a GPU of the stub library, and the instances that a GPU is cut into.
import t from 'tap';
import { noCompiler } from './nvml/build.js';
import { DRIVERS } from './nvml/generations.js';
import { A100, createStage } from './nvml/stage.ts';

const INSUFFICIENT_SIZE = 7;
const COLLEAGUE = { pid: 77, name: 'python3, own build', memoryMib: 5000, utilization: 20 };

t.test(
  'the list of processes says first how long it is; each driver fills entries of its own length',
  {
    skip: noCompiler,
  },
  async (t) => {
    for (const [name, call, stride] of [
      ['470', 'nvmlDeviceGetComputeRunningProcesses', 16],
      ['470', 'nvmlDeviceGetComputeRunningProcesses_v2', 24],
      ['535', 'nvmlDeviceGetComputeRunningProcesses_v3', 24],
      ['535.54', 'nvmlDeviceGetComputeRunningProcesses_v2', 24],
      ['535.54', 'nvmlDeviceGetComputeRunningProcesses_v3', 32],
      ['595', 'nvmlDeviceGetComputeRunningProcesses_v3', 24],
    ] as const) {
      const { nvml } = createStage(t, { driver: DRIVERS[name], processes: [COLLEAGUE] });
      const [count, list] = [Buffer.alloc(4), Buffer.alloc(3 * 32, 0xaa)];
      t.equal(nvml.call(call, nvml.gpu(0), count, null), INSUFFICIENT_SIZE);
      t.equal(count.readUInt32LE(), 2);
      t.equal(nvml.call(call, nvml.gpu(0), count, list), 0);
      const entries = [0, 1].map((at) => list.subarray(at * stride));
      t.same(
        entries.map((entry) => [entry.readUInt32LE(), Number(entry.readBigUInt64LE(8) >> 20n) > 4999]),
        [
          [4242, true],
          [77, true],
        ],
        `${name} ${call}`,
      );
      t.equal(
        list.subarray(2 * stride).every((byte) => byte === 0xaa),
        true,
        `wrote ${stride} bytes each`,
      );
      if (stride > 16) t.equal(list.readUInt32LE(16), 0xffffffff, 'not in an instance');
      t.equal(nvml.text('nvmlSystemGetProcessName', 77), 'python3, own build');
      count.writeUInt32LE(3);
      t.equal(nvml.call(call, nvml.gpu(1), count, list), 0);
      t.equal(count.readUInt32LE(), 0, 'nobody on the other GPU');
    }
  },
);

t.test('a process comes and goes with the time', { skip: noCompiler }, async (t) => {
  const { nvml, step } = createStage(t, { trainings: [], processes: [{ ...COLLEAGUE, fromS: 10, toS: 20 }] });
  const count = Buffer.alloc(4);
  const counted = () => {
    nvml.call('nvmlDeviceGetComputeRunningProcesses_v3', nvml.gpu(0), count, null);
    return count.readUInt32LE();
  };
  t.equal(counted(), 0);
  step(12_000);
  t.equal(counted(), 1);
  step(10_000);
  t.equal(counted(), 0);
});

t.test(
  'the share of each process is that of the last second, and none is told when nobody works',
  {
    skip: noCompiler,
  },
  async (t) => {
    const { nvml, step } = createStage(t, { processes: [COLLEAGUE] });
    step(1500);
    const [count, list] = [Buffer.alloc(4), Buffer.alloc(4 * 32)];
    t.equal(nvml.call('nvmlDeviceGetProcessUtilization', nvml.gpu(0), null, count, 0n), INSUFFICIENT_SIZE);
    t.equal(count.readUInt32LE(), 2);
    t.equal(nvml.call('nvmlDeviceGetProcessUtilization', nvml.gpu(0), list, count, 0n), 0);
    t.same([list.readUInt32LE(32), list.readUInt32LE(32 + 16)], [77, 20]);
    const seen = list.readBigUInt64LE(8);
    t.equal(seen, 1_757_427_472_000_000n);
    t.equal(nvml.call('nvmlDeviceGetProcessUtilization', nvml.gpu(0), list, count, seen), 6, 'nothing new');
    t.equal(nvml.call('nvmlDeviceGetProcessUtilization', nvml.gpu(1), list, count, 0n), 6, 'an idle GPU');

    const young = Buffer.alloc(24);
    t.equal(nvml.call('nvmlDeviceGetProcessesUtilizationInfo', nvml.gpu(0), young), 25, 'a version is asked for');
    young.writeUInt32LE(0x01000018);
    t.equal(nvml.call('nvmlDeviceGetProcessesUtilizationInfo', nvml.gpu(0), young), INSUFFICIENT_SIZE);
    t.equal(young.readUInt32LE(4), 2);
  },
);

const MIG = [
  {
    slot: 0,
    uuid: 'MIG-1',
    profile: '3g.20gb',
    gpuInstance: 1,
    computeInstance: 0,
    memoryMib: 19_968,
    multiprocessors: 42,
  },
  {
    slot: 3,
    uuid: 'MIG-2',
    profile: '1g.5gb',
    gpuInstance: 9,
    computeInstance: 2,
    memoryMib: 4864,
    multiprocessors: 14,
  },
];

t.test(
  'a GPU that is cut into instances leaves holes between them and counts no utilization',
  {
    skip: noCompiler,
  },
  async (t) => {
    const { nvml } = createStage(t, {
      gpus: [{ ...A100, mig: MIG }],
      trainings: [],
      processes: [{ ...COLLEAGUE, memoryMib: 3000, mig: 1 }],
    });
    const gpu = nvml.gpu(0);
    const out = Buffer.alloc(96);
    const modes = [Buffer.alloc(4), Buffer.alloc(4)];
    t.equal(nvml.call('nvmlDeviceGetMigMode', gpu, ...modes), 0);
    t.same(
      modes.map((mode) => mode.readUInt32LE()),
      [1, 1],
    );
    t.equal(nvml.number('nvmlDeviceGetMaxMigDeviceCount', gpu), 7);
    t.same(
      [0, 1, 2, 3, 4, 5, 6].map((slot) => nvml.call('nvmlDeviceGetMigDeviceHandleByIndex', gpu, slot, out)),
      [0, 6, 6, 0, 6, 6, 6],
    );
    const instance = nvml.handle('nvmlDeviceGetMigDeviceHandleByIndex', gpu, 3);
    t.equal(nvml.handle('nvmlDeviceGetDeviceHandleFromMigDeviceHandle', instance), gpu);
    t.equal(nvml.text('nvmlDeviceGetUUID', instance), 'MIG-2');
    t.equal(nvml.text('nvmlDeviceGetName', instance), 'NVIDIA A100-SXM4-40GB MIG 1g.5gb');
    t.equal(nvml.number('nvmlDeviceGetGpuInstanceId', instance), 9);
    t.equal(nvml.number('nvmlDeviceGetComputeInstanceId', instance), 2);
    t.equal(nvml.call('nvmlDeviceGetAttributes_v2', instance, out), 0);
    t.same([out.readUInt32LE(), out.readBigUInt64LE(32)], [14, 4864n]);

    for (const handle of [gpu, instance]) t.equal(nvml.call('nvmlDeviceGetUtilizationRates', handle, out), 3);
    out.writeUInt32LE(0x02000028);
    t.equal(nvml.call('nvmlDeviceGetMemoryInfo_v2', instance, out), 0);
    t.same(
      [8, 32].map((at) => out.readBigUInt64LE(at) >> 20n),
      [4864n, 3000n],
    );
    const count = Buffer.alloc(4);
    const listed = (handle: bigint) => {
      count.writeUInt32LE(4);
      nvml.call('nvmlDeviceGetComputeRunningProcesses_v3', handle, count, out);
      return count.readUInt32LE();
    };
    t.same([gpu, instance, nvml.handle('nvmlDeviceGetMigDeviceHandleByIndex', gpu, 0)].map(listed), [1, 1, 0]);
    t.same([out.readUInt32LE(), out.readUInt32LE(16), out.readUInt32LE(20)], [77, 9, 2], 'pid and instances');
  },
);
