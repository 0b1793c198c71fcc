import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { runDoctor } from '../../src/doctor/command.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { createLooks } from '../../src/doctor/looks.ts';
import { type DoctorOptions, LIMITS } from '../../src/doctor/options.ts';
import { noCompiler } from '../simulators/nvml/build.js';
import { installNvml } from '../simulators/nvml/install.js';
import { checkOf, statuses } from './judged.ts';

/** A machine with a stub of the driver's library: an A100 at work and an idle T4. */
const createStage = (t: Test, driver = '550.163.01') => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-doctor-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const stub = installNvml({
    folder,
    simulation: {
      clock: { startAt: 1_757_427_471_000, wallStartAt: Date.now(), speed: 1 },
      driver,
      gpus: [
        { uuid: 'GPU-a', name: 'NVIDIA A100-SXM4-40GB', memoryMib: 40_960, powerLimit: 400 },
        { uuid: 'GPU-b', name: 'Tesla T4', memoryMib: 15_360, powerLimit: 70 },
      ],
      trainings: [{ name: 'train', startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1, pid: 4242 }],
    },
    spanS: 60,
  });
  const options: Omit<DoctorOptions, 'onWait'> = {
    settings: {
      ...{ watch: [join(folder, 'runs')], db: join(folder, 'signalbox.db'), host: '127.0.0.1', port: 0 },
      ...{ gpu: 'nvml', nvidiaSmi: '/nonexistent/nvidia-smi', nvml: stub.library, gpuInterval: 1000 },
      ...{ token: null, tokenFile: null },
    },
    ...{ isLoopback: true, root: join(import.meta.dirname, '../..'), version: '0.1.0', system: 'a test' },
    ...{ platform: process.platform, arch: process.arch, nodeVersion: process.versions.node },
    ...{ uid: process.getuid?.() ?? null, clock: systemClock, limits: LIMITS },
    environment: { ...process.env, ...stub.environment },
  };
  return { stub, options, folder };
};

const skip = { skip: noCompiler };
/** What doctor says of the GPUs alone. */
const gpuChecks = (options: Omit<DoctorOptions, 'onWait'>) => createLooks({ ...options, onWait: () => {} }).gpu(null);

t.test('a driver that answers: who it is, how fast, what it lacks, and what each metric lacks', skip, async (t) => {
  const { stub, options } = createStage(t, '470.256.02');
  const checks = await gpuChecks(options);
  t.match(checkOf(checks, 'gpu-driver').says, '470.256.02, CUDA up to 11.4; NVIDIA A100-SXM4-40GB and Tesla T4');
  t.match(checkOf(checks, 'koffi'), { status: 'ok', says: /koffi-/ });
  t.match(checkOf(checks, 'gpu-nvml'), { says: /not in this driver: .*nvmlDeviceGetMemoryInfo_v2/ });
  t.match(checkOf(checks, 'gpu-handles'), { status: 'ok', says: 'all 2' });
  const speed = checkOf(checks, 'gpu-speed');
  t.match(speed.facts, { tick: { count: 20 }, calls: Array });
  t.match(speed.details[1], /nvmlDeviceGetPcieThroughput blocks for \d+ ms/);
  t.match(checkOf(checks, 'gpu-metrics').details.join('\n'), /GPU 0: memoryReserved: .*510/);
  t.match(checkOf(checks, 'gpu-ring').details[0], /GPU 0: \d+ entries, one each 167 ms/);
  t.match(checkOf(checks, 'gpu-fields').details[0], /GPU 0: \d of 9, .*without .*average power \(Not Supported\)/);
  const windows = stub.calls().filter((call) => call.function === 'nvmlDeviceGetPcieThroughput');
  t.equal(windows.length, 2, 'the call that blocks is made once for each GPU');
});

t.test('a driver call that hangs does not hold doctor up, and is named', skip, async (t) => {
  const { stub, options } = createStage(t);
  stub.set({ function: 'nvmlDeviceGetPowerUsage', gpu: 1, hangs: true, after: 3 });
  const waited: string[] = [];
  const limits = { ...LIMITS, call: 2500 };
  const { checks } = await examine({ ...options, limits, onWait: (names) => waited.push(...names) });
  t.match(checkOf(checks, 'gpu-nvml'), {
    status: 'problem',
    says: 'the driver did not answer within 2.5 s while calling nvmlDeviceGetPowerUsage; the process that asked was killed',
  });
  t.ok(waited.includes('the driver (NVML)'));
  t.equal(checkOf(checks, 'port').status, 'ok', 'everything else is told all the same');
  const [pid] = stub.calls().map((call) => call.pid);
  t.throws(() => process.kill(pid ?? 0, 0), { code: 'ESRCH' }, 'nothing is left of the process that asked');
});

t.test('a driver that is gone and a GPU that is lost are told apart', skip, async (t) => {
  const { stub, options } = createStage(t);
  stub.set({ gpu: 1, code: 15 });
  const lost = await gpuChecks(options);
  t.match(checkOf(lost, 'gpu-handles'), { status: 'problem', details: ['GPU 1 cannot be opened: GPU is lost'] });
  stub.clear();
  stub.set({ code: 9 });
  const gone = await gpuChecks(options);
  t.match(checkOf(gone, 'gpu-nvml'), { status: 'problem', says: /not loaded/ });
});

t.test('--gpu off and --gpu nvidia-smi do not touch the library', skip, async (t) => {
  const { stub, options } = createStage(t);
  const off = await gpuChecks({ ...options, settings: { ...options.settings, gpu: 'off' } });
  t.match(checkOf(off, 'gpu'), { status: 'ok', says: /--gpu off/ });
  const smi = await gpuChecks({ ...options, settings: { ...options.settings, gpu: 'nvidia-smi' } });
  t.equal(statuses(smi)['gpu-nvml'], undefined);
  t.same(stub.calls(), []);
});

t.test('the report for an issue holds nothing that names this machine', skip, async (t) => {
  const { stub, options, folder } = createStage(t);
  stub.set({ code: 9 });
  const person = { home: '/home/ada', user: 'ada', host: 'trainer7', look: { width: 80, colour: false } };
  const { text, isWell } = await runDoctor({ ...options, ...person, format: 'issue', writeProgress: null });
  t.match(text, /problem {2}NVML: .*not loaded/);
  t.match(text, /^gpu-nvml \{.*"library":"<libnvidia-ml\.so\.1>"/m);
  t.notMatch(text, folder);
  t.equal(isWell, false, 'a driver that is not loaded is a problem');
});
