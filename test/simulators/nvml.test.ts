// That the stub library does what NVIDIA's does, as far as other tests rely on it. The facts are of NVML's own header
// and of the libraries of drivers 470 to 595.
import t from 'tap';
import { noCompiler } from './nvml/build.js';
import { DRIVERS } from './nvml/generations.js';
import { A100, createStage, T4 } from './nvml/stage.ts';

const MIB = 2n ** 20n;

t.test('nothing is answered before the first init and after the last shutdown', { skip: noCompiler }, async (t) => {
  const { nvml } = createStage(t);
  const out = Buffer.alloc(8);
  const count = () => nvml.call('nvmlDeviceGetCount_v2', out);
  t.equal(nvml.call('nvmlInit_v2'), 0, 'a second init');
  t.equal(nvml.call('nvmlShutdown'), 0);
  t.equal(count(), 0, 'one of two is shut down');
  nvml.call('nvmlShutdown');
  t.equal(count(), 1);
  t.equal(nvml.call('nvmlShutdown'), 1);
  nvml.call('nvmlInit_v2');
  t.equal(count(), 0);
});

t.test('a GPU is found by its place, its UUID and its bus, and says who it is', { skip: noCompiler }, async (t) => {
  const { nvml } = createStage(t);
  const gpu = nvml.gpu(0);
  t.equal(nvml.number('nvmlDeviceGetCount_v2'), 2);
  t.equal(nvml.handle('nvmlDeviceGetHandleByUUID', 'GPU-a'), gpu);
  t.equal(nvml.handle('nvmlDeviceGetHandleByPciBusId_v2', '00000000:00:00.0'), gpu);
  t.equal(nvml.text('nvmlDeviceGetName', gpu), A100.name);
  t.equal(nvml.text('nvmlDeviceGetUUID', nvml.gpu(1)), T4.uuid);
  t.equal(nvml.text('nvmlSystemGetDriverVersion'), '550.163.01');
  t.equal(nvml.number('nvmlSystemGetCudaDriverVersion_v2'), 12_040);
  const pci = Buffer.alloc(68);
  t.equal(nvml.call('nvmlDeviceGetPciInfo_v3', nvml.gpu(1), pci), 0);
  t.equal(pci.toString('utf8', 36, 52), '00000000:01:00.0');
  t.equal(pci.readUInt32LE(20), 1, 'the bus');
});

t.test('wrong arguments are refused, never followed', { skip: noCompiler }, async (t) => {
  const { nvml } = createStage(t);
  const out = Buffer.alloc(64);
  t.equal(nvml.call('nvmlDeviceGetUtilizationRates', 0n, out), 2, 'no handle');
  t.equal(nvml.call('nvmlDeviceGetUtilizationRates', 4096n, out), 2, 'a wrong handle');
  t.equal(nvml.call('nvmlDeviceGetUtilizationRates', nvml.gpu(0), null), 2, 'no place for the answer');
  t.equal(nvml.call('nvmlDeviceGetHandleByIndex_v2', 2, out), 2, 'a GPU too many');
  t.equal(nvml.call('nvmlDeviceGetHandleByUUID', 'GPU-z', out), 6);
  t.equal(nvml.call('nvmlDeviceGetName', nvml.gpu(0), out, 4), 7, 'too short for the name');
});

/** The functions that a caller tells generations by, and the drivers that have each. */
const GENERATIONS = {
  nvmlDeviceGetMemoryInfo: ['470', '535', '535.54', '550', '580', '595'],
  nvmlDeviceGetMemoryInfo_v2: ['535', '535.54', '550', '580', '595'],
  nvmlDeviceGetComputeRunningProcesses_v3: ['535', '535.54', '550', '580', '595'],
  nvmlDeviceGetCurrentClocksEventReasons: ['535', '535.54', '550', '580', '595'],
  nvmlDeviceGetCurrentClocksThrottleReasons: ['470', '535', '535.54', '550', '580', '595'],
  nvmlDeviceGetConfComputeMemSizeInfo: ['535', '535.54', '550', '580', '595'],
  nvmlDeviceGetRunningProcessDetailList: ['535', '550', '580', '595'],
  nvmlDeviceGetProcessesUtilizationInfo: ['550', '580', '595'],
  nvmlDeviceGetPciInfoExt: ['550', '580', '595'],
  nvmlDeviceGetTemperatureV: ['580', '595'],
  nvmlDeviceGetRemappedRows_v2: ['580', '595'],
};

t.test('each driver generation has its own functions and not those of a later one', { skip: noCompiler }, async (t) => {
  const found = Object.entries(DRIVERS).map(([name, driver]) => ({ name, nvml: createStage(t, { driver }).nvml }));
  for (const [name, generations] of Object.entries(GENERATIONS)) {
    t.same(found.flatMap((each) => (each.nvml.has(name) ? [each.name] : [])).sort(), [...generations].sort(), name);
  }
  t.notOk(found[0]?.nvml.has('open_machine'), 'and nothing else');
});

t.test(
  'used, free and reserved memory make the whole; the old call counts the reserved as used',
  {
    skip: noCompiler,
  },
  async (t) => {
    const { nvml } = createStage(t);
    const [young, old] = [Buffer.alloc(40), Buffer.alloc(24)];
    t.equal(nvml.call('nvmlDeviceGetMemoryInfo_v2', nvml.gpu(0), young), 25, 'a version is asked for');
    young.writeUInt32LE(0x02000028);
    t.equal(nvml.call('nvmlDeviceGetMemoryInfo_v2', nvml.gpu(0), young), 0);
    t.equal(nvml.call('nvmlDeviceGetMemoryInfo', nvml.gpu(0), old), 0);
    const [total = 0n, reserved = 0n, free, used = 0n] = [8, 16, 24, 32].map((at) => young.readBigUInt64LE(at));
    t.equal(total, 40_960n * MIB);
    t.equal(reserved, 617n * MIB);
    t.equal(free, total - reserved - used);
    t.ok(used > 15_000n * MIB);
    t.same(
      [0, 8, 16].map((at) => old.readBigUInt64LE(at)),
      [total, free, used + reserved],
    );
  },
);

t.test(
  'the ring has the last 100 windows of a GPU in use, and runs dry on an idle one',
  { skip: noCompiler },
  async (t) => {
    const { nvml, step } = createStage(t);
    const GPU_UTILIZATION = 1;
    const [type, count, samples] = [Buffer.alloc(4), Buffer.alloc(4), Buffer.alloc(100 * 16)];
    const ask = (gpu: bigint, lastSeen: bigint, room = 100) => {
      count.writeUInt32LE(room);
      return nvml.call('nvmlDeviceGetSamples', gpu, GPU_UTILIZATION, lastSeen, type, count, samples);
    };
    const stamps = () => Array.from({ length: count.readUInt32LE() }, (_, i) => samples.readBigUInt64LE(i * 16));

    t.equal(nvml.call('nvmlDeviceGetSamples', nvml.gpu(0), GPU_UTILIZATION, 0n, type, count, null), 0);
    t.equal(count.readUInt32LE(), 100, 'how much room it needs');
    step(40_000);
    t.equal(ask(nvml.gpu(0), 0n), 0);
    const found = stamps();
    const sorted = [...found].sort();
    t.equal(found.length, 100);
    t.notSame(found, sorted, 'in the order of the ring, not of time');
    const gaps = sorted.slice(1).map((stamp, i) => Number(stamp - (sorted[i] ?? 0n)));
    t.ok(
      gaps.every((gap) => Math.abs(gap - 1e6 / 6) < 2000),
      'a sixth of a second apart',
    );
    t.ok(samples.readUInt32LE(8) > 80);

    t.equal(ask(nvml.gpu(0), sorted.at(-1) ?? 0n), 6, 'nothing new');
    step(500);
    t.equal(ask(nvml.gpu(0), sorted.at(-1) ?? 0n), 0);
    t.equal(stamps().length, 3, 'only what is newer');
    t.equal(ask(nvml.gpu(1), 0n), 6, 'an idle GPU');
  },
);

t.test('power is that of the moment on an A100 and of the last second on an H100', { skip: noCompiler }, async (t) => {
  const H100 = { ...A100, uuid: 'GPU-h', name: 'NVIDIA H100 80GB HBM3' };
  const training = { name: 'train', startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1 };
  const { nvml, step } = createStage(t, {
    gpus: [A100, H100],
    trainings: [0, 1].map((gpu) => ({ ...training, gpu, pid: 10 + gpu, name: `${gpu}` })),
  });
  const [POWER_AVERAGE, POWER_INSTANT] = [185, 186];
  const read = (gpu: number) => {
    const fields = Buffer.alloc(80);
    for (const [i, id] of [POWER_AVERAGE, POWER_INSTANT].entries()) fields.writeUInt32LE(id, i * 40);
    t.equal(nvml.call('nvmlDeviceGetFieldValues', nvml.gpu(gpu), 2, fields), 0);
    const [average, instant] = [0, 40].map((at) => fields.readInt32LE(at + 28) || fields.readUInt32LE(at + 32));
    return { average, instant, usage: nvml.number('nvmlDeviceGetPowerUsage', nvml.gpu(gpu)) };
  };
  step(1000);
  const [a100, h100] = [read(0), read(1)];
  t.equal(a100.average, 3, 'not supported');
  t.equal(a100.usage, a100.instant);
  t.equal(h100.usage, h100.average);
  t.not(h100.usage, h100.instant);
});

t.test(
  'fields come with their cost, an unknown one with its own code and 0 for all',
  { skip: noCompiler },
  async (t) => {
    const { nvml, step, set } = createStage(t);
    const [ENERGY, UNKNOWN, MEMORY_TEMPERATURE, PCIE_RX_BYTES] = [83, 9999, 82, 198];
    const fields = Buffer.alloc(4 * 40);
    const ask = (gpu: number) => {
      fields.fill(0);
      for (const [i, id] of [ENERGY, UNKNOWN, MEMORY_TEMPERATURE, PCIE_RX_BYTES].entries())
        fields.writeUInt32LE(id, i * 40);
      const outer = nvml.call('nvmlDeviceGetFieldValues', nvml.gpu(gpu), 4, fields);
      return [outer, ...[0, 40, 80, 120].map((at) => fields.readInt32LE(at + 28))];
    };
    const energy = () => fields.readBigUInt64LE(32);
    t.same(ask(0), [0, 0, 3, 0, 0]);
    t.same(ask(1), [0, 0, 3, 3, 0], 'a T4 has no sensor in its memory');
    t.ok(fields.readBigInt64LE(16) > 0n, 'latency of the energy');
    t.equal(fields.readBigInt64LE(8), 1_757_427_471_000_000n, 'when, in µs');

    ask(0);
    const before = energy();
    let joules = 0;
    for (let i = 0; i < 8; i++) {
      joules += Number(nvml.number('nvmlDeviceGetPowerUsage', nvml.gpu(0))) * 0.25;
      step(250);
    }
    ask(0);
    t.ok(Math.abs(Number(energy() - before) - joules) < 2, 'energy is the integral of the power, in mJ');
    step(30_000);
    ask(0);
    t.ok(
      fields.readUInt32LE(120 + 32) < 2 ** 32 && fields.readUInt32LE(120 + 36) === 0,
      'bytes are counted in 32 bits',
    );

    set({ field: ENERGY, code: 999 });
    t.same(ask(0), [0, 999, 3, 0, 0]);
  },
);

t.test('counting PCIe bytes takes 20 ms for each direction', { skip: noCompiler }, async (t) => {
  const { nvml } = createStage(t);
  const before = performance.now();
  t.ok(Number(nvml.number('nvmlDeviceGetPcieThroughput', nvml.gpu(0), 1)) > 500_000, 'KB/s');
  t.ok(performance.now() - before >= 19);
});

t.test('counters of errors follow what happens to the GPU', { skip: noCompiler }, async (t) => {
  const { nvml, step } = createStage(t, {
    incidents: [
      { kind: 'ecc', gpu: 0, atS: 2, uncorrected: 3 },
      { kind: 'rows', gpu: 0, atS: 2, uncorrected: 1, pending: true },
      { kind: 'replays', gpu: 0, atS: 2, count: 7 },
    ],
  });
  const [UNCORRECTED, VOLATILE] = [1, 0];
  const read = (gpu: number) => ({
    ecc: nvml.number('nvmlDeviceGetTotalEccErrors', nvml.gpu(gpu), UNCORRECTED, VOLATILE),
    replays: nvml.number('nvmlDeviceGetPcieReplayCounter', nvml.gpu(gpu)),
  });
  t.same(read(0), { ecc: 0, replays: 0 });
  step(2000);
  t.same(read(0), { ecc: 3, replays: 7 });
  const rows = [0, 1, 2, 3].map(() => Buffer.alloc(4));
  t.equal(nvml.call('nvmlDeviceGetRemappedRows', nvml.gpu(0), ...rows), 0);
  t.same(
    rows.map((row) => row.readUInt32LE()),
    [0, 1, 1, 0],
  );
  t.equal(nvml.call('nvmlDeviceGetRemappedRows', nvml.gpu(1), ...rows), 3, 'a T4 has no spare rows');
});

t.test('an XID is told once, to those who registered before it', { skip: noCompiler }, async (t) => {
  const { nvml, step } = createStage(t, {
    incidents: [
      { kind: 'xid', gpu: 1, atS: 1, code: 31 },
      { kind: 'xid', gpu: 0, atS: 5, code: 79 },
    ],
  });
  const [XID, TIMEOUT] = [0x8n, 10];
  const event = Buffer.alloc(32);
  step(2000);
  const set = nvml.handle('nvmlEventSetCreate');
  for (const gpu of [0, 1]) t.equal(nvml.call('nvmlDeviceRegisterEvents', nvml.gpu(gpu), XID, set), 0);
  t.equal(nvml.call('nvmlEventSetWait_v2', set, event, 0), TIMEOUT);
  const waiting = nvml.callAside('nvmlEventSetWait_v2', set, event, 5000);
  step(3000);
  t.equal(await waiting, 0);
  t.equal(event.readBigUInt64LE(0), nvml.gpu(0));
  t.same([event.readBigUInt64LE(8), event.readBigUInt64LE(16)], [XID, 79n]);
  t.equal(nvml.call('nvmlEventSetWait_v2', set, event, 20), TIMEOUT);
  t.equal(nvml.call('nvmlEventSetFree', set), 0);
});
