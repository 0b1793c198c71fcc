import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createNvmlCollector } from '../../../src/collectors/gpu/nvml/collector.ts';
import type { Batch } from '../../../src/core/batch.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Collector } from '../../../src/core/ports.ts';
import { installNvml } from '../../simulators/nvml/install.js';
import { createLog, lookUntil } from './stage.ts';

type Simulation = import('../../simulators/scenario.js').Simulation;

export const A100 = { uuid: 'GPU-a', name: 'NVIDIA A100-PCIE-40GB', memoryMib: 40_960, powerLimit: 250 };
export const T4 = { uuid: 'GPU-b', name: 'NVIDIA T4', memoryMib: 15_360, powerLimit: 70 };

/** The stub library with an A100 and a T4, a training of this process on the first; its clock is that of the machine. */
export const createNvmlStage = (t: Test, changes: Partial<Simulation> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nvml-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const now = Date.now();
  const simulation: Simulation = {
    clock: { startAt: now, wallStartAt: now, speed: 1 },
    driver: '550.163.01',
    gpus: [A100, T4],
    trainings: [{ name: 'train', startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1, pid: process.pid }],
    ...changes,
  };
  return { ...installNvml({ folder, simulation, spanS: 120 }), simulation };
};

/** A clock that only steps move, at this moment of the simulation. */
export const stoppedAt = (steppedMs: number) => {
  const now = Date.now();
  return { startAt: now, wallStartAt: now, speed: 0, steppedMs };
};

/** A collector on the library, closed with the test. */
export const openNvmlCollector = (
  t: Test,
  stub: { readonly library: string | null; readonly environment: Readonly<Record<string, string>> },
  { intervalMs = 100, pidsAreForeign = null as string | null, log = createLog() } = {},
) => {
  const collector = createNvmlCollector({
    library: stub.library,
    intervalMs,
    sources: { procfs: '/proc', passwd: '/etc/passwd' },
    pidsAreForeign,
    environment: { ...process.env, ...stub.environment },
    clock: systemClock,
    log: log.log,
  });
  t.teardown(() => collector.close?.());
  return collector;
};

/** The values of one GPU in a batch, oldest first. */
export const valuesOn = (batch: Batch, uuid: string) =>
  (batch.samples ?? []).filter(({ subject }) => subject === `gpu:${uuid}`).map(({ values }) => values);

/** A sample in which nothing is known. */
export const isBlank = (values: Readonly<Record<string, number | null>>): boolean =>
  Object.values(values).every((value) => value === null);

/** What is said of one GPU besides its numbers. */
export const noteOn = (batch: Batch, uuid: string) => batch.gpuNotes?.find((note) => note.uuid === uuid);

/** All that came until it is what the test waits for: samples in order, of the rest what was said last. */
export const gather = async (collector: Collector, wanted: (told: Batch) => boolean): Promise<Batch> => {
  let told: Batch = {};
  await lookUntil(collector, (batch) => {
    const notes = new Map([...(told.gpuNotes ?? []), ...(batch.gpuNotes ?? [])].map((note) => [note.uuid, note]));
    const samples = [...(told.samples ?? []), ...(batch.samples ?? [])];
    told = { ...told, ...batch, samples, gpuNotes: [...notes.values()] };
    return wanted(told);
  });
  return told;
};

export const hasSamples = ({ samples = [] }: Batch): boolean => samples.length > 0;
