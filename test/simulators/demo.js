// The demo: three trainings, one after the other, on one simulated A100, with something going wrong in each.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClock } from './clock.js';
import { installNvidiaSmi } from './fake-program.js';
import { createProcfs, HOST_LOADS } from './procfs.js';
import { compileTraining } from './scenario.js';

export const SPEED = 60;

/** @type {import('./scenario.js').GpuPlan} */
const A100 = {
  uuid: 'GPU-5e1f0b5a-3c1d-4c9e-8a57-000000000a01',
  name: 'NVIDIA A100-PCIE-40GB',
  memoryMib: 40_960,
  powerLimit: 250,
};

/** A host's A100s: only their UUIDs differ. @param {number} count */
const gpusOf = (count) =>
  Array.from({ length: count }, (_, i) => ({ ...A100, uuid: A100.uuid.replace(/1$/, `${i + 1}`) }));

/**
 * About 100 simulated minutes. Under the rules' own guards: a spike after epoch 5; an oscillation of more than the
 * window of 14 rows after epoch 10; a stall later than 900 s and after three rows of more than a minute each; a leak
 * of more than nine such epochs.
 * @type {import('./scenario.js').TrainingPlan[]}
 */
export const DEMO_TRAININGS = [
  {
    name: 'yolo11n_baseline',
    startS: 5,
    epochs: 40,
    secondsPerEpoch: 62,
    seed: 11,
    memoryMib: 24_700,
    lossSpike: { epoch: 11, factor: 1.7 },
    oscillation: { fromEpoch: 12, toEpoch: 36, amplitude: 0.02, period: 3.5 },
  },
  {
    name: 'yolo11n_full_data',
    startS: 2560,
    epochs: 23,
    secondsPerEpoch: 72,
    seed: 12,
    memoryMib: 25_300,
    stall: { fromS: 960, toS: 1500, gapS: 15, everyS: 38, cause: 'disk' },
  },
  {
    name: 'yolo11n_large_batch',
    startS: 4540,
    epochs: 60,
    secondsPerEpoch: 66,
    seed: 13,
    memoryMib: 30_200,
    leak: { fromEpoch: 2, mibPerEpoch: 540 },
    args: { batch: 32 },
  },
];

/**
 * Starts the simulators in a folder: the trainers each at their time, the fake nvidia-smi and /proc at once.
 * @param {{ folder: string, clock: import('./clock.js').ClockNumbers, trainings?: import('./scenario.js').TrainingPlan[],
 *   gpuCount?: number }} place
 */
export const startSimulation = ({ folder, clock: numbers, trainings = DEMO_TRAININGS, gpuCount = 1 }) => {
  const runs = join(folder, 'runs', 'detect');
  const pidFolder = join(folder, 'pids');
  for (const each of [runs, pidFolder]) mkdirSync(each, { recursive: true });
  const simulationFile = join(folder, 'simulation.json');
  /** @type {import('./scenario.js').Simulation} */
  const simulation = { clock: numbers, driver: '550.163.01', gpus: gpusOf(gpuCount), trainings, pidFolder };
  writeFileSync(simulationFile, JSON.stringify(simulation, null, 2));

  const clock = createClock(numbers);
  const trainer = fileURLToPath(new URL('./trainer.js', import.meta.url));
  /** @type {Map<import('node:child_process').ChildProcess, Promise<unknown>>} */
  const living = new Map();
  const cancels = trainings.map((plan) =>
    clock.after(Math.max(0, numbers.startAt + plan.startS * 1000 - clock.now()), () => {
      const child = spawn(process.execPath, [trainer, 'train', `name=${plan.name}`, `project=${runs}`], {
        cwd: folder,
        stdio: 'ignore',
        env: { ...process.env, NODE_OPTIONS: '', SIGNALBOX_SIMULATION: simulationFile },
      });
      const ended = new Promise((resolve) => child.on('close', resolve).on('error', resolve));
      living.set(child, ended);
      ended.then(() => living.delete(child));
    }),
  );

  const compiled = trainings.map((plan) => compileTraining(plan, A100));
  const procfs = createProcfs(join(folder, 'proc'));
  let seenAt = numbers.startAt;
  /** Lets the simulated host reach the present. */
  const advanceHost = () => {
    const now = clock.now();
    if (now <= seenAt) return;
    procfs.advance(hostLoadAt(compiled, (now - numbers.startAt) / 1000), (now - seenAt) / 1000);
    seenAt = now;
  };

  return {
    runs,
    procfs: procfs.folder,
    advanceHost,
    nvidiaSmi: installNvidiaSmi({ folder: join(folder, 'bin'), simulationFile }),
    /** Seconds of the simulation after which the last training has ended. */
    endS: Math.max(...compiled.map(({ plan, endS }) => plan.startS + endS)),
    /** Kills the trainers and waits for them. */
    stop: async () => {
      for (const cancel of cancels) cancel();
      for (const child of living.keys()) child.kill('SIGKILL');
      await Promise.all(living.values());
    },
  };
};

/** @param {import('./scenario.js').Training[]} trainings @param {number} t */
const hostLoadAt = (trainings, t) => {
  const moments = trainings.map(({ plan, momentAt }) => ({ plan, moment: momentAt(t) }));
  const stalled = moments.find(({ moment }) => moment.stalled);
  if (stalled) return HOST_LOADS[stalled.plan.stall?.cause === 'cpu' ? 'waits for the CPU' : 'waits for the disk'];
  return moments.some(({ moment }) => moment.phase === 'train' || moment.phase === 'val')
    ? HOST_LOADS.training
    : HOST_LOADS.idle;
};

/**
 * Surroundings for the service (src/app.ts): the user's own settings, but with simulated runs, GPU, host and clock, and
 * a database that is thrown away at the end.
 * @param {import('../../src/options.ts').Settings} settings
 * @returns {Promise<import('../../src/app.ts').Surroundings>}
 */
export const startDemo = async (settings) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-demo-'));
  const wallStartAt = Date.now();
  const numbers = { startAt: wallStartAt, wallStartAt, speed: SPEED };
  const { runs, procfs, advanceHost, nvidiaSmi, stop } = startSimulation({ folder, clock: numbers });
  // Not in stop: the database is in there, and it is closed after the simulators were stopped.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { now, after } = createClock(numbers);
  return {
    settings: {
      ...settings,
      watch: [runs],
      db: join(folder, 'signalbox.db'),
      gpu: /** @type {const} */ ('nvidia-smi'),
      nvidiaSmi,
    },
    clock: {
      now,
      // The counters of a real /proc are those of the moment of the look. Ticking by themselves, they would stand still
      // between two looks or take two steps: at this speed a look comes every 17 ms.
      after: (ms, work) =>
        after(ms, () => {
          advanceHost();
          work();
        }),
    },
    simulated: { speed: SPEED },
    procfs,
    sysfs: null,
    stop,
  };
};
