import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { createNvidiaSmiCollector } from '../../../src/collectors/gpu/nvidia-smi.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Sample } from '../../../src/core/sample.ts';
import { createLog, createStage, FIELDS, hasEnded, lookUntil, lookUntilFailure, untilEnded } from './stage.ts';

const open = (t: Test, path: string, log = createLog()) => {
  const collector = createNvidiaSmiCollector({
    path,
    fields: FIELDS,
    intervalMs: 100,
    clock: systemClock,
    log: log.log,
  });
  t.teardown(() => collector.close?.());
  return collector;
};

const someSamples = (batch: { samples?: readonly unknown[] }): boolean => (batch.samples?.length ?? 0) > 0;

t.test('every GPU gives a sample each tick, and a finished tick wakes the runner', async (t) => {
  const collector = open(t, createStage(t).program);
  const woken = new Promise<void>((resolve) => collector.when.woken?.(resolve));
  const before = Date.now();
  await collector.collect(AbortSignal.timeout(5000));
  await woken;
  const batch = await lookUntil(collector, someSamples);
  const [first, second] = batch.samples ?? [];
  t.match(first, {
    subject: 'gpu:GPU-a',
    values: { memoryTotal: 40_960 * 2 ** 20, powerLimit: 250, fan: null, eccErrors: 0 },
  });
  t.match(second, { subject: 'gpu:GPU-b', values: { utilization: 0, throttle: 1 } });
  t.equal(first?.at, second?.at, 'one moment for all GPUs of a tick');
  t.ok((first?.at ?? 0) >= before && (first?.at ?? 0) <= Date.now());
  t.match(batch.gpus, [
    { uuid: 'GPU-a', index: 0, name: 'NVIDIA A100-PCIE-40GB', driver: '550.163.01' },
    { uuid: 'GPU-b', index: 1, name: 'NVIDIA T4, spare' },
  ]);
  t.ok(collector.answers());
  const next = await lookUntil(collector, someSamples);
  t.equal(next.gpus, undefined, 'what does not change is not told again');
});

t.test('when nvidia-smi dies its words are the error, and the next look has samples again', async (t) => {
  const stage = createStage(t, { fault: { kind: 'die', afterRounds: 1, code: 9 } });
  const collector = open(t, stage.recorder);
  const gap = await lookUntil(collector, (batch) => batch.hasMore === true);
  t.ok(
    Object.values(gap.samples?.at(-1)?.values ?? {}).every((value) => value === null),
    'the gap is marked',
  );
  t.match(gap.gpuNotes, [{ uuid: 'GPU-a', trouble: /driver is not loaded/ }, { uuid: 'GPU-b' }]);
  t.match(await lookUntilFailure(collector), /driver is not loaded/);
  stage.change({ fault: undefined });
  t.ok(someSamples(await lookUntil(collector, someSamples)));
  await collector.close?.();
  for (const pid of stage.pids()) t.ok(hasEnded(pid), 'nothing lives on');
});

t.test('a hung nvidia-smi that ignores SIGTERM is killed and started again, never two at once', async (t) => {
  const stage = createStage(t, { fault: { kind: 'hang', afterRounds: 1 } });
  const collector = open(t, stage.recorder);
  await lookUntil(collector, someSamples);
  t.match(await lookUntilFailure(collector), /printed nothing for 1\.\d s and was killed/);
  const [hung] = stage.pids();
  t.ok(hung !== undefined && hasEnded(hung));
  stage.change({ fault: undefined });
  t.ok(someSamples(await lookUntil(collector, someSamples)));
});

t.test('a GPU that is lost is blank with the reason, and the healthy one keeps its series without a gap', async (t) => {
  const stage = createStage(t, { driver: '580.65.06' });
  const log = createLog();
  const collector = open(t, stage.program, log);
  await lookUntil(collector, someSamples);
  stage.change({ fault: { kind: 'lost', gpu: 1 } });
  const samples: Sample[] = [];
  const told: unknown[] = [];
  const lookFor = (wanted: (sample: Sample) => boolean) =>
    lookUntil(collector, (batch) => {
      samples.push(...(batch.samples ?? []));
      told.push(...(batch.gpuNotes ?? []).filter(({ uuid }) => uuid === 'GPU-b'));
      return (batch.samples ?? []).some(wanted);
    });
  const isOfLost = ({ subject, values }: Sample, blank: boolean) =>
    subject === 'gpu:GPU-b' && Object.values(values).every((value) => value === null) === blank;
  for (let tick = 0; tick < 3; tick++) await lookFor((sample) => isOfLost(sample, true));
  const why = 'GPU is lost';
  t.match(told, [{ uuid: 'GPU-b', trouble: why, absent: { utilization: why, memoryUsed: why } }]);
  t.equal(told.length, 1, 'once');

  stage.change({ fault: undefined });
  await lookFor((sample) => isOfLost(sample, false));
  t.match(told, [{ trouble: why }, { uuid: 'GPU-b', trouble: null }]);
  const healthy = samples.filter(({ subject }) => subject === 'gpu:GPU-a');
  t.ok(healthy.every(({ values }) => values.memoryUsed !== null));
  t.ok(healthy.length >= new Set(samples.map(({ at }) => at)).size - 1, 'a sample of it in every tick');
  const problems = log.lines.filter(({ level }) => level === 'warn');
  t.match(problems, [{ facts: { text: /GPU1: 1: GPU is lost/ }, message: 'nvidia-smi reports a problem' }]);
});

t.test('of a GPU that was lost before it was ever seen only the log tells', async (t) => {
  const stage = createStage(t, { driver: '580.65.06', fault: { kind: 'lost', gpu: 1 } });
  const log = createLog();
  const collector = open(t, stage.program, log);
  for (let tick = 0; tick < 3; tick++) {
    const { samples = [] } = await lookUntil(collector, someSamples);
    t.same([...new Set(samples.map(({ subject }) => subject))], ['gpu:GPU-a']);
  }
  t.match(log.lines, [{ level: 'warn', facts: { text: /GPU1: 1: GPU is lost/ } }]);
});

t.test('a cell that the driver cannot read is null, and its reason is told once', async (t) => {
  const stage = createStage(t, { fault: { kind: 'cell', field: 'utilization.gpu', text: '[Unknown Error]' } });
  const collector = open(t, stage.program);
  const told: unknown[] = [];
  for (let tick = 0; tick < 3; tick++) {
    const { samples = [], gpuNotes = [] } = await lookUntil(collector, someSamples);
    t.ok(samples.every(({ values }) => values.utilization === null && values.temperature !== null));
    told.push(...gpuNotes);
  }
  t.match(told, [
    { uuid: 'GPU-a', trouble: null, absent: { utilization: 'Unknown Error', energy: 'only NVML gives it' } },
    { uuid: 'GPU-b', absent: { utilization: 'Unknown Error' } },
  ]);
  t.equal(told.length, 2);
});

t.test('a program that is not there says so', async (t) => {
  const collector = open(t, '/nonexistent/nvidia-smi');
  t.match(await lookUntilFailure(collector), /\/nonexistent\/nvidia-smi could not be started/);
});

t.test('nvidia-smi does not outlive a service that is killed with -9', async (t) => {
  const stage = createStage(t);
  const service = fork(fileURLToPath(new URL('./orphan.ts', import.meta.url)), ['samples', stage.recorder], {
    execArgv: [],
  });
  await once(service, 'message');
  const [pid] = stage.pids();
  t.ok(pid !== undefined && !hasEnded(pid));
  service.kill('SIGKILL');
  await untilEnded(pid ?? 0);
  t.ok(hasEnded(pid ?? 0), 'its next line broke the pipe and ended it');
});
