import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { chooseFields, parseKnownFields } from '../../../src/collectors/gpu/csv.ts';
import type { Batch } from '../../../src/core/batch.ts';
import type { Log } from '../../../src/core/log.ts';
import type { Collector } from '../../../src/core/ports.ts';
import { installNvidiaSmi } from '../../simulators/fake-program.js';
import { helpText } from '../../simulators/nvidia-smi-fields.js';

type Simulation = import('../../simulators/scenario.js').Simulation;

/** What the service would ask of the fake. */
export const FIELDS = chooseFields(parseKnownFields(helpText()));

/** A folder with a fake nvidia-smi on a simulation of two GPUs, a training on the first. */
export const createStage = (t: Test, changes: Partial<Simulation> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-gpu-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const simulationFile = join(folder, 'simulation.json');
  const now = Date.now();
  const write = (more: Partial<Simulation>): void => {
    const simulation: Simulation = {
      clock: { startAt: now, wallStartAt: now, speed: 1 },
      driver: '550.163.01',
      gpus: [
        { uuid: 'GPU-a', name: 'NVIDIA A100-PCIE-40GB', memoryMib: 40_960, powerLimit: 250 },
        { uuid: 'GPU-b', name: 'NVIDIA T4, spare', memoryMib: 15_360, powerLimit: 70 },
      ],
      trainings: [{ name: 'train', startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1, pid: process.pid }],
      ...changes,
      ...more,
    };
    writeFileSync(simulationFile, JSON.stringify(simulation));
  };
  write({});
  const program = installNvidiaSmi({ folder, simulationFile });
  const recorder = join(folder, 'recorded-nvidia-smi');
  const pidFile = join(folder, 'pids');
  writeFileSync(recorder, `#!/bin/sh\necho $$ >> '${pidFile}'\nexec '${program}' "$@"\n`);
  chmodSync(recorder, 0o755);
  return {
    folder,
    program,
    /** The same program, which first notes its pid. */
    recorder,
    pids: (): readonly number[] => readFileSync(pidFile, 'utf8').trim().split('\n').map(Number),
    change: write,
  };
};

/** Collects whatever is logged. */
export const createLog = () => {
  const lines: { level: string; facts: object; message: string }[] = [];
  const at = (level: string) => (facts: object, message: string) => lines.push({ level, facts, message });
  const log: Log = { info: at('info'), warn: at('warn'), error: at('error') };
  return { log, lines };
};

const SIGNAL = new AbortController().signal;

/** Looks, as the runner would, until a batch is what the test waits for. */
export const lookUntil = async (collector: Collector, wanted: (batch: Batch) => boolean): Promise<Batch> => {
  for (;;) {
    const batch = await collector.collect(SIGNAL);
    if (wanted(batch)) return batch;
    await pause(10);
  }
};

/** Looks until the collector fails; what it says. */
export const lookUntilFailure = async (collector: Collector): Promise<string> => {
  for (;;) {
    try {
      await collector.collect(SIGNAL);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    await pause(10);
  }
};

/** Has the process ended? One that nobody has buried yet counts as ended. */
export const hasEnded = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

/** Resolves when the process has ended. */
export const untilEnded = async (pid: number): Promise<void> => {
  while (!hasEnded(pid)) await pause(10);
};
