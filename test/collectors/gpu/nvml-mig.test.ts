import t from 'tap';
import { noCompiler } from '../../simulators/nvml/build.js';
import { A100, createNvmlStage, gather, hasSamples, noteOn, openNvmlCollector, T4, valuesOn } from './nvml-stage.ts';

const MIB = 2 ** 20;
const instance = (slot: number, gpuInstance: number) => ({
  ...{ slot, uuid: `MIG-${slot}`, profile: '3g.20gb', gpuInstance, computeInstance: 0 },
  ...{ memoryMib: 19_968, multiprocessors: 42 },
});
const PARTED = { ...A100, mig: [instance(0, 1), instance(2, 5)] };
const training = (mig: number, pid: number) => ({
  ...{ name: `train${mig}`, startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1, memoryMib: 6000 },
  ...{ pid, mig },
});

t.test(
  'a MIG instance is a GPU of its own with memory and processes, and no invented utilization',
  { skip: noCompiler },
  async (t) => {
    const stage = createNvmlStage(t, { gpus: [PARTED, T4], trainings: [training(1, process.pid)] });
    const collector = openNvmlCollector(t, stage);
    const batch = await gather(collector, hasSamples);
    t.match(batch.gpus, [
      { uuid: 'GPU-a', mig: undefined },
      { uuid: 'MIG-0', index: 0, memoryTotal: 19_968 * MIB, mig: { parent: 'GPU-a', index: 0, gpuInstance: 1 } },
      { uuid: 'MIG-2', mig: { parent: 'GPU-a', index: 2, gpuInstance: 5, computeInstance: 0, profile: '3g.20gb' } },
      { uuid: 'GPU-b' },
    ]);
    t.match(valuesOn(batch, 'MIG-2')[0], { memoryTotal: 19_968 * MIB, utilization: null, power: null, energy: null });
    t.ok((valuesOn(batch, 'MIG-2')[0]?.memoryUsed ?? 0) > 1000 * MIB);
    t.equal(valuesOn(batch, 'MIG-0')[0]?.memoryUsed, 0);
    t.match(noteOn(batch, 'MIG-2'), {
      trouble: null,
      absent: { utilization: 'known of the whole GPU only, not of a MIG instance' },
    });
    t.match(
      batch.processes?.map(({ gpuUuid, pid }) => ({ gpuUuid, pid })),
      [{ gpuUuid: 'MIG-2', pid: process.pid }],
      'a process is on its instance, and not a second time on the whole GPU',
    );

    t.match(valuesOn(batch, 'GPU-a')[0], { utilization: null, utilizationMin: null });
    t.ok((valuesOn(batch, 'GPU-a')[0]?.power ?? 0) > 0, 'the whole GPU keeps what it has');
    t.match(noteOn(batch, 'GPU-a')?.absent.utilization, /MIG is on/);
    const asked = stage.calls().filter((call) => call.function === 'nvmlDeviceGetUtilizationRates');
    t.notOk(
      asked.some(({ gpu }) => gpu === 0),
      'and is not asked for it',
    );
  },
);
