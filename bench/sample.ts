import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseFields, parseKnownFields } from '../src/collectors/gpu/csv.ts';
import { createNvidiaSmiCollector } from '../src/collectors/gpu/nvidia-smi.ts';
import { createNvmlCollector } from '../src/collectors/gpu/nvml/collector.ts';
import { createRunner } from '../src/collectors/runner/runner.ts';
import { systemClock as clock } from '../src/core/clock.ts';
import type { Collector } from '../src/core/ports.ts';
import { installNvidiaSmi } from '../test/simulators/fake-program.js';
import { helpText } from '../test/simulators/nvidia-smi-fields.js';
import { noCompiler } from '../test/simulators/nvml/build.js';
import { installNvml } from '../test/simulators/nvml/install.js';
import type { Report } from './figures.ts';

const GPUS = 8;
const INTERVAL_MS = 100;
const WARM_UP_S = 5;
const MEASURE_S = 30;

/**
 * CPU time of one sample of 8 GPUs, at 10 Hz: of the process that asks the driver and of ours, which reads what it says.
 * The stub library and the fake nvidia-smi stand in for NVIDIA's, so the driver's own time is not in it; `csv_program`
 * is the fake, a Node program, and says nothing of the real one.
 */
export const measure = async (report: Report): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const now = Date.now();
  const simulation = {
    clock: { startAt: now, wallStartAt: now, speed: 1 },
    driver: '550.163.01',
    gpus: Array.from({ length: GPUS }, (_, i) => ({
      uuid: `GPU-00000000-0000-4000-8000-00000000000${i}`,
      name: 'NVIDIA A100-SXM4-80GB',
      memoryMib: 81_920,
      powerLimit: 400,
    })),
    trainings: Array.from({ length: GPUS }, (_, gpu) => ({
      ...{ name: `train${gpu}`, startS: -40, epochs: 100, secondsPerEpoch: 60, seed: gpu, pid: process.pid, gpu },
    })),
  };
  const log = { info: () => {}, warn: () => {}, error: () => {} };

  if (noCompiler === false) {
    const stub = installNvml({ folder, simulation });
    // Without the stub's call log: it would cost more than the calls.
    const environment = { ...process.env, ...stub.environment, SIGNALBOX_STUB_CALLS: undefined };
    const nvml = createNvmlCollector({
      ...{ library: stub.library, intervalMs: INTERVAL_MS, environment, pidsAreForeign: null, clock, log },
      sources: { procfs: '/proc', passwd: '/etc/passwd' },
    });
    const { child, parent } = await cpuOf(nvml);
    report('nvml', child + parent, 'ms a sample');
    report('nvml_child', child, 'ms a sample');
    report('nvml_parent', parent, 'ms a sample');
  } else console.error(`bench sample: NVML is left out: ${noCompiler}`);

  const simulationFile = join(folder, 'simulation.json');
  writeFileSync(simulationFile, JSON.stringify(simulation));
  const path = installNvidiaSmi({ folder: join(folder, 'bin'), simulationFile });
  const fields = chooseFields(parseKnownFields(helpText()));
  const csv = await cpuOf(createNvidiaSmiCollector({ path, fields, intervalMs: INTERVAL_MS, clock, log }));
  report('csv_parent', csv.parent, 'ms a sample');
  report('csv_program', csv.child, 'ms a sample');
  rmSync(folder, { recursive: true });
};

/** Runs a collector as the service does; CPU time in ms for each tick of all GPUs, of its child and of this process. */
const cpuOf = async (collector: Collector): Promise<{ readonly child: number; readonly parent: number }> => {
  let ticks = 0;
  const runner = createRunner({
    clock,
    log: { info: () => {}, warn: console.error, error: console.error },
    polling: 'always',
    ingest: ({ samples = [] }) => {
      ticks += samples.length / GPUS;
    },
  });
  runner.add(collector);
  await sleep(WARM_UP_S * 1000);
  const [pid] = childrenOf(process.pid);
  const before = { ticks, child: ranMs(pid), parent: process.cpuUsage() };
  await sleep(MEASURE_S * 1000);
  const { user, system } = process.cpuUsage(before.parent);
  const measured = ticks - before.ticks;
  const child = (ranMs(pid) - before.child) / measured;
  await runner.close();
  return { child, parent: (user + system) / 1000 / measured };
};

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

/** Time on a CPU of all threads of a process, from schedstat: in ns, where stat counts hundredths of a second. */
const ranMs = (pid: number | undefined): number =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    0,
  );
