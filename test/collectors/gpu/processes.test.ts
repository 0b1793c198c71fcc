import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { createGpuProcessesCollector, parseProcessRow } from '../../../src/collectors/gpu/processes.ts';
import { findLauncher } from '../../../src/collectors/gpu/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { createLog, createStage, hasEnded, lookUntil, lookUntilFailure, untilEnded } from './stage.ts';

const SOURCES = { procfs: '/proc', passwd: '/etc/passwd' };

const open = (t: Test, path: string, driverAnswers: () => boolean) => {
  const { log } = createLog();
  const options = {
    launcher: [path] as const,
    periodMs: 200,
    sources: SOURCES,
    driverAnswers,
    pidsAreForeign: null,
    clock: systemClock,
    log,
  };
  const collector = createGpuProcessesCollector(options);
  t.teardown(() => collector.close?.());
  return collector;
};

t.test('a line says which process holds how much of which GPU', async (t) => {
  const row = parseProcessRow('2026/03/01 10:11:12.345, GPU-1f, 4711, 30494, /opt/my apps, old/python');
  t.same(row, {
    printedAt: new Date(2026, 2, 1, 10, 11, 12, 345).getTime(),
    gpuUuid: 'GPU-1f',
    pid: 4711,
    memory: 30494 * 2 ** 20,
    name: '/opt/my apps, old/python',
  });
  t.match(parseProcessRow('2026/03/01 10:11:12.345, GPU-1f, 4711, [N/A], [Not Found]'), { memory: null, name: null });
  t.equal(parseProcessRow('Failed to initialize NVML: Unknown Error'), null);
  t.equal(parseProcessRow('2026/03/01 10:11:12.345, GPU-1f, 47'), null, 'a line that was cut off');
});

t.test('a process on a GPU is shown with its memory, user, command and folders', async (t) => {
  const collector = open(t, createStage(t).program, () => true);
  const { processes } = await lookUntil(collector, (batch) => (batch.processes?.length ?? 0) > 0);
  t.equal(processes?.length, 1);
  t.match(processes?.[0], { gpuUuid: 'GPU-a', pid: process.pid, command: /gpu.processes\.test/, cwd: process.cwd() });
  t.ok((processes?.[0]?.memory ?? 0) > 2 ** 30);
});

t.test('before nvidia-smi has said anything the processes are not known', async (t) => {
  const collector = open(t, createStage(t, { fault: { kind: 'slow', wallMs: 60_000 } }).program, () => true);
  t.same(await collector.collect(AbortSignal.timeout(1000)), { processes: null });
});

t.test('an nvidia-smi that prints nothing means: no process', async (t) => {
  const collector = open(t, createStage(t, { trainings: [] }).program, () => true);
  const { processes } = await lookUntil(collector, (batch) => batch.processes !== null);
  t.same(processes, []);
});

t.test('silence while the driver does not answer means nothing: the processes become unknown', async (t) => {
  let answers = true;
  const stage = createStage(t);
  const collector = open(t, stage.program, () => answers);
  await lookUntil(collector, (batch) => (batch.processes?.length ?? 0) > 0);
  answers = false;
  stage.change({ fault: { kind: 'hang', afterRounds: 0 } });
  let sawNone = false;
  await lookUntil(collector, (batch) => {
    sawNone ||= batch.processes?.length === 0;
    return batch.processes === null;
  });
  t.notOk(sawNone, 'null, never an empty list');
});

t.test('a process that leaves the GPU leaves the list, and a dead nvidia-smi is an error', async (t) => {
  const stage = createStage(t);
  const collector = open(t, stage.program, () => true);
  await lookUntil(collector, (batch) => (batch.processes?.length ?? 0) > 0);
  stage.change({ trainings: [] });
  await lookUntil(collector, (batch) => batch.processes?.length === 0);
  stage.change({ fault: { kind: 'error', code: 4 } });
  t.match(await lookUntilFailure(collector), /may not use the GPUs/);
});

t.test('when the driver goes away the processes become unknown, and then it is an error', async (t) => {
  const stage = createStage(t);
  const collector = open(t, stage.program, () => true);
  await lookUntil(collector, (batch) => (batch.processes?.length ?? 0) > 0);
  stage.change({ fault: { kind: 'error', code: 9 } });
  await lookUntil(collector, (batch) => batch.processes === null);
  t.match(await lookUntilFailure(collector), /driver is not loaded/);
});

t.test('nvidia-smi does not outlive a service that is killed with -9, though it never writes', async (t) => {
  const stage = createStage(t, { trainings: [] });
  const launcher = await findLauncher(stage.recorder);
  if (launcher.length === 1) {
    t.comment('this system has no setpriv: nothing to hold');
    return;
  }
  const service = fork(fileURLToPath(new URL('./orphan.ts', import.meta.url)), ['processes', ...launcher], {
    execArgv: [],
  });
  await once(service, 'message');
  const [pid] = stage.pids();
  t.ok(pid !== undefined && !hasEnded(pid));
  service.kill('SIGKILL');
  await untilEnded(pid ?? 0);
});
