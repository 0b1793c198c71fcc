import { join } from 'node:path';
import t from 'tap';
import type { ObservedGpu } from '../../src/core/batch.ts';
import { open, T0 } from './open-store.ts';

const observedGpu = (uuid: string, index: number): ObservedGpu => ({
  uuid,
  index,
  name: 'NVIDIA A100-SXM4-80GB',
  driver: '550.54.15',
  memoryTotal: 85_899_345_920,
  powerLimit: 400,
});

t.test('a GPU is listed with its newest sample and its user, also after a restart', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const before = open(path);
  before.saveGpus([observedGpu('GPU-b', 1), observedGpu('GPU-a', 0)], T0);
  t.match(before.listGpus(), [
    { gpu: 'gpu:0', uuid: 'GPU-a', lastSeenAt: T0, run: null, latest: null, processes: null },
    { gpu: 'gpu:1', uuid: 'GPU-b' },
  ]);
  for (const at of [T0 + 2000, T0 + 1000]) {
    before.appendSamples([{ subject: 'gpu:GPU-a', at, values: { utilization: 93, throttle: 0x24 } }]);
  }
  before.setGpuUse('GPU-a', { run: 'r_1', processes: [], processesUnknown: null });
  t.match(before.listGpus()[0], {
    run: 'r_1',
    processes: [],
    lastSeenAt: T0 + 2000,
    latest: {
      gpu: 'gpu:0',
      uuid: 'GPU-a',
      at: T0 + 2000,
      run: 'r_1',
      throttle: ['sw_power_cap', 'sw_thermal_slowdown'],
    },
  });
  before.close();

  const after = open(path);
  t.match(after.listGpus()[0], {
    gpu: 'gpu:0',
    run: null,
    processes: null,
    latest: { at: T0 + 2000, utilization: 93, power: null },
  });
  after.close();
});

t.test('gpu:0 is the GPU that has the index today; one that lost it to another is not listed', async (t) => {
  const store = open();
  store.saveGpus([observedGpu('GPU-a', 0), observedGpu('GPU-b', 1)], T0);
  store.saveGpus([observedGpu('GPU-a', 1), observedGpu('GPU-b', 0)], T0 + 1000);
  t.match(store.listGpus(), [
    { gpu: 'gpu:0', uuid: 'GPU-b' },
    { gpu: 'gpu:1', uuid: 'GPU-a' },
  ]);
  store.saveGpus([observedGpu('GPU-c', 0)], T0 + 2000);
  t.match(store.listGpus(), [
    { gpu: 'gpu:0', uuid: 'GPU-c' },
    { gpu: 'gpu:1', uuid: 'GPU-a' },
  ]);
});

t.test('a host is listed with its facts and its newest sample', async (t) => {
  const store = open();
  const facts = { name: 'trainer', os: 'Debian 12', cpuModel: null, cpuCores: 64, memoryTotal: 1e12 };
  store.saveHost(facts, T0);
  store.appendSamples([{ subject: 'host:trainer', at: T0 + 1000, values: { cpu: 35 } }]);
  t.match(store.listHosts(), [
    { ...facts, host: 'host:trainer', lastSeenAt: T0 + 1000, latest: { host: 'host:trainer', cpu: 35, netRx: null } },
  ]);
});
