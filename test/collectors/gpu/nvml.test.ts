import t from 'tap';
import type { Batch } from '../../../src/core/batch.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { noCompiler } from '../../simulators/nvml/build.js';
import { DRIVERS } from '../../simulators/nvml/generations.js';
import { createScene } from '../../simulators/scene.js';
import { createNvmlStage, gather, hasSamples, noteOn, openNvmlCollector, stoppedAt, valuesOn } from './nvml-stage.ts';
import { lookUntil } from './stage.ts';

// They wait far more than they work.
t.jobs = 4;
/** A new object for each test: tap keeps what belongs to one test in it. */
const beside = () => ({ skip: noCompiler, buffered: true });
const MIB = 2 ** 20;
const H100 = { uuid: 'GPU-h', name: 'NVIDIA H100 80GB HBM3', memoryMib: 81_559, powerLimit: 700 };

t.test('every field of a sample is what the driver would say at that moment', beside(), async (t) => {
  const clock = stoppedAt(100_080);
  const stage = createNvmlStage(t, {
    clock,
    gpus: [{ uuid: 'GPU-a', name: 'NVIDIA A100-PCIE-40GB', memoryMib: 40_960, powerLimit: 250 }, H100],
    incidents: [
      { atS: 20, gpu: 0, kind: 'ecc', corrected: 7, uncorrected: 2 },
      { atS: 30, gpu: 0, kind: 'rows', uncorrected: 1, pending: true },
      { atS: 40, gpu: 1, kind: 'replays', count: 5 },
    ],
    processes: [{ pid: 4711, name: 'other', memoryMib: 9000, gpu: 1, utilization: 40 }],
  });
  const collector = openNvmlCollector(t, stage);
  const before = Date.now();
  const batch = await gather(collector, hasSamples);
  const scene = createScene(stage.simulation).at(100);
  for (const { gpu, state, powerAverage, board } of scene) {
    const [values] = valuesOn(batch, gpu.uuid);
    t.match(values, {
      utilization: state.utilization,
      utilizationMin: state.utilization,
      utilizationMean: state.utilization,
      memoryUtilization: state.memoryUtilization,
      memoryUsed: state.memoryMib * MIB,
      memoryTotal: gpu.memoryMib * MIB,
      power: Math.round((powerAverage ?? state.power) * 1000) / 1000,
      powerLimit: gpu.powerLimit,
      temperature: state.temperature,
      memoryTemperature: state.temperature + 4,
      clockSm: state.clockSm,
      clockMem: state.clockMem,
      throttle: state.throttle,
    });
    t.equal(powerAverage !== null, board.averagesPower);
  }
  t.match(valuesOn(batch, 'GPU-a')[0], { eccErrors: 2, eccCorrected: 7, rowRemapPending: 1, rowRemapFailed: 0 });
  t.match(valuesOn(batch, 'GPU-h')[0], { eccErrors: 0, pcieReplays: 5, memoryReserved: 617 * MIB });
  t.match(batch.gpus, [
    { uuid: 'GPU-a', index: 0, name: 'NVIDIA A100-PCIE-40GB', driver: '550.163.01', memoryTotal: 40_960 * MIB },
    { uuid: 'GPU-h', index: 1, powerLimit: 700, pciBusId: '0000:01:00' },
  ]);
  const [at, other] = (batch.samples ?? []).map((sample) => sample.at);
  t.equal(at, other, 'one moment for all GPUs of a tick');
  t.ok((at ?? 0) >= before && (at ?? 0) <= Date.now(), 'dated by our clock');
  t.match(batch.processes, [
    { gpuUuid: 'GPU-a', pid: process.pid, cwd: process.cwd() },
    { gpuUuid: 'GPU-h', pid: 4711, memory: 9000 * MIB },
  ]);
});

t.test('energy and PCIe rates are those of the simulation while its clock runs', beside(), async (t) => {
  const stage = createNvmlStage(t);
  const collector = openNvmlCollector(t, stage);
  const isThere = (batch: Parameters<typeof valuesOn>[0]) => typeof valuesOn(batch, 'GPU-a')[0]?.pcieRx === 'number';
  const [values] = valuesOn(await lookUntil(collector, isThere), 'GPU-a');
  const [now] = createScene(stage.simulation).at((systemClock.now() - stage.simulation.clock.startAt) / 1000);
  const near = (value: number | null | undefined, expected: number) =>
    t.ok(Math.abs((value ?? 0) - expected) <= expected * 0.05, `${value} is about ${expected}`);
  near(values?.pcieRx, (now?.pcie.rx ?? 0) * 1000);
  near(values?.pcieTx, (now?.pcie.tx ?? 0) * 1000);
  t.ok((values?.energy ?? 0) > 0);
});

t.test('a dip that is shorter than a tick is seen', beside(), async (t) => {
  const stage = createNvmlStage(t, {
    clock: stoppedAt(60_000),
    trainings: [
      {
        ...{ name: 'train', startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1, pid: process.pid },
        stall: { fromS: 90, toS: 400, gapS: 1, everyS: 4, cause: 'disk' },
      },
    ],
  });
  const collector = openNvmlCollector(t, stage);
  await gather(collector, hasSamples);
  stage.step(8000);
  const sees = (batch: Parameters<typeof valuesOn>[0]) =>
    valuesOn(batch, 'GPU-a').find((values) => (values.utilizationMin ?? 100) < (values.utilizationMean ?? 0));
  const values = sees(await lookUntil(collector, (batch) => sees(batch) !== undefined));
  const scene = createScene(stage.simulation);
  const windows = Array.from({ length: 48 }, (_, k) => Math.floor(((361 + k) * 1000) / 6 / 250) / 4);
  const lived = windows.map((s) => scene.at(s)[0]?.state.utilization ?? 0);
  t.equal(values?.utilizationMin, Math.min(...lived));
  const mean = lived.reduce((a, b) => a + b, 0) / lived.length;
  // An entry right between two values may count for either.
  t.ok(Math.abs((values?.utilizationMean ?? 0) - mean) < 0.5);
  t.ok((values?.utilization ?? 0) > (values?.utilizationMean ?? 0), 'and it is over at the end of the tick');
});

for (const [generation, driver] of Object.entries(DRIVERS)) {
  t.test(`driver ${generation} is read with the functions that it has`, beside(), async (t) => {
    const stage = createNvmlStage(t, {
      clock: stoppedAt(60_080),
      driver,
      processes: [{ pid: 4711, name: 'other', memoryMib: 900, utilization: 3 }],
    });
    const collector = openNvmlCollector(t, stage);
    const batch = await gather(collector, hasSamples);
    const [values] = valuesOn(batch, 'GPU-a');
    t.ok((values?.utilization ?? 0) > 0 && (values?.power ?? 0) > 0 && typeof values?.throttle === 'number');
    const [now] = createScene(stage.simulation).at(60);
    t.equal(values?.memoryUsed, (now?.state.memoryMib ?? 0) * MIB, 'without what the driver reserves');
    t.match(
      batch.processes?.map(({ pid }) => pid),
      [process.pid, 4711],
    );
    t.equal(batch.processes?.[1]?.memory, 900 * MIB, 'however long the entries of its list are');
    const major = Number.parseInt(driver, 10);
    const { absent = {} } = noteOn(batch, 'GPU-a') ?? {};
    t.equal(absent.memoryReserved, major < 510 ? 'this driver does not tell it: it came with 510' : undefined);
    t.equal(absent.pcieRx === 'Not Supported', major < 550);
  });
}

t.test('a process shows the share of the GPU that it had in the last second', beside(), async (t) => {
  const stage = createNvmlStage(t, { processes: [{ pid: 4711, name: 'other', memoryMib: 900, utilization: 31 }] });
  const collector = openNvmlCollector(t, stage);
  const { processes } = await lookUntil(collector, ({ processes }) => typeof processes?.[1]?.utilization === 'number');
  t.equal(processes?.[1]?.utilization, 31);
});

t.test('a call that fails takes its own metric only, with the reason', beside(), async (t) => {
  const stage = createNvmlStage(t);
  stage.set({ function: 'nvmlDeviceGetPowerUsage', code: 999, gpu: 0 });
  stage.set({ field: 82, code: 4, gpu: 0 });
  const collector = openNvmlCollector(t, stage);
  const batch = await gather(collector, hasSamples);
  const [values] = valuesOn(batch, 'GPU-a');
  t.match(values, { power: null, memoryTemperature: null });
  t.ok((values?.utilization ?? 0) > 0 && (values?.energy ?? -1) >= 0);
  t.match(noteOn(batch, 'GPU-a'), {
    trouble: null,
    absent: { power: 'Unknown Error', memoryTemperature: 'Insufficient Permissions' },
  });
  t.equal(typeof valuesOn(batch, 'GPU-b')[0]?.power, 'number', 'another GPU has its power');
  stage.clear();
  const isHealed = (next: Parameters<typeof noteOn>[0]) =>
    !('power' in (noteOn(next, 'GPU-a')?.absent ?? { power: '' }));
  const healed = await gather(collector, (next) => isHealed(next) && hasSamples(next));
  t.equal(typeof valuesOn(healed, 'GPU-a').at(-1)?.power, 'number', 'and it comes back with the call');
});

t.test('each call in turn fails: its own metrics are not known, and no other', beside(), async (t) => {
  const stage = createNvmlStage(t);
  const collector = openNvmlCollector(t, stage);
  // Without the rates of PCIe: on a busy machine a tick may miss their window by itself.
  const unknownIn = (batch: Batch) =>
    Object.entries(valuesOn(batch, 'GPU-a').at(-1) ?? {}).flatMap(([metric, value]) =>
      value === null && metric !== 'pcieRx' && metric !== 'pcieTx' ? metric : [],
    );
  const always = unknownIn(await gather(collector, hasSamples));
  const OWN = {
    nvmlDeviceGetClockInfo: ['clockMem', 'clockSm'],
    nvmlDeviceGetCurrentClocksEventReasons: ['throttle'],
    nvmlDeviceGetPowerUsage: ['power'],
    nvmlDeviceGetTemperature: ['temperature'],
    nvmlDeviceGetTotalEccErrors: ['eccCorrected', 'eccErrors'],
    nvmlDeviceGetRemappedRows: ['rowRemapFailed', 'rowRemapPending'],
    nvmlDeviceGetFieldValues: ['energy', 'memoryTemperature', 'pcieReplays'],
    // A tick is shorter than the ring's period: without the call, a tick that got nothing from the ring knows nothing.
    nvmlDeviceGetUtilizationRates: ['memoryUtilization', 'utilization', 'utilizationMean', 'utilizationMin'],
  };
  for (const [name, own] of Object.entries(OWN)) {
    stage.set({ function: name, code: 999, gpu: 0 });
    const failing = await gather(collector, (next) => own.every((metric) => unknownIn(next).includes(metric)));
    t.same(unknownIn(failing).sort(), [...always, ...own].sort(), name);
    stage.clear();
    await gather(collector, (next) => unknownIn(next).every((metric) => always.includes(metric)) && hasSamples(next));
  }
});

t.test('in a container with pids of its own the processes are not known, with what to do', beside(), async (t) => {
  const collector = openNvmlCollector(t, createNvmlStage(t), { pidsAreForeign: 'start it with --pid=host' });
  const batch = await gather(collector, hasSamples);
  t.match(batch, { processes: null, processesUnknown: 'start it with --pid=host' });
});
