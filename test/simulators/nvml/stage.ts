import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { installNvml } from './install.js';
import { openNvml } from './open.ts';

export type Simulation = import('../scenario.js').Simulation;

export const A100 = { uuid: 'GPU-a', name: 'NVIDIA A100-SXM4-40GB', memoryMib: 40_960, powerLimit: 400 };
export const T4 = { uuid: 'GPU-b', name: 'Tesla T4', memoryMib: 15_360, powerLimit: 70 };

/** An A100 in the middle of a training and an idle T4, on a clock that only the test moves; the library has been started. */
export const createStage = (t: Test, changes: Partial<Simulation> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nvml-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const simulation: Simulation = {
    clock: { startAt: 1_757_427_471_000, wallStartAt: Date.now(), speed: 0 },
    driver: '550.163.01',
    gpus: [A100, T4],
    trainings: [{ name: 'train', startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1, pid: 4242 }],
    ...changes,
  };
  const stub = installNvml({ folder, simulation, spanS: 60 });
  Object.assign(process.env, stub.environment);
  const nvml = openNvml(stub.library);
  nvml.call('nvmlInit_v2');
  t.teardown(() => nvml.call('nvmlShutdown'));
  return { ...stub, nvml, folder, simulation };
};
