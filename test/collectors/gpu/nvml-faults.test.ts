import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import type { Batch } from '../../../src/core/batch.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { noCompiler } from '../../simulators/nvml/build.js';
import { createNvmlStage, gather, hasSamples, isBlank, noteOn, openNvmlCollector, valuesOn } from './nvml-stage.ts';
import { createLog, hasEnded, lookUntilFailure, untilEnded } from './stage.ts';

// They wait far more than they work.
t.jobs = 4;
/** A new object for each test: tap keeps what belongs to one test in it. */
const beside = () => ({ skip: noCompiler, buffered: true });
type Stage = ReturnType<typeof createNvmlStage>;

/** Every process that ever called the library, in the order of its first call. */
const pidsIn = (stage: Stage): readonly number[] => [...new Set(stage.calls().map(({ pid }) => pid))];
const last = <T>(items: readonly T[]): T | undefined => items.at(-1);
const isKnown = (batch: Batch, uuid: string) => valuesOn(batch, uuid).some((values) => !isBlank(values));

t.test(
  'a call that hangs is ended with its process, leaves a gap and nothing else, and then it goes on',
  beside(),
  async (t) => {
    const stage = createNvmlStage(t);
    const collector = openNvmlCollector(t, stage);
    const before = await gather(collector, hasSamples);
    stage.set({ function: 'nvmlDeviceGetUtilizationRates', hangs: true });
    const gap = await gather(collector, (batch) => batch.hasMore === true);
    const marked = (gap.samples ?? []).filter(({ values }) => isBlank(values));
    t.same(
      marked.map(({ subject }) => subject),
      ['gpu:GPU-a', 'gpu:GPU-b'],
      'one sample for each GPU in which nothing is known',
    );
    const knownAt = last(
      [...(before.samples ?? []), ...(gap.samples ?? [])].filter(({ values }) => !isBlank(values)),
    )?.at;
    t.equal(marked[0]?.at, (knownAt ?? 0) + 100, 'dated where the gap begins, a period after the last that is known');
    t.match(noteOn(gap, 'GPU-a')?.trouble, /printed nothing for 1\.\d s and was killed: the driver may hang/);
    t.match(gap, { processes: null, processesUnknown: /was killed/ });
    const [hung = 0] = pidsIn(stage);
    t.ok(hasEnded(hung), 'before another one is started');

    t.match(await lookUntilFailure(collector), /was killed: the driver may hang/);
    stage.clear();
    const healed = await gather(collector, (batch) => isKnown(batch, 'GPU-a') && noteOn(batch, 'GPU-a') !== undefined);
    t.equal(noteOn(healed, 'GPU-a')?.trouble, null);
    t.equal(pidsIn(stage).length, 2, 'two processes, one after the other');
  },
);

t.test(
  'a lost GPU is blank with the reason, the healthy one goes on, and it comes back within 5 s',
  beside(),
  async (t) => {
    const stage = createNvmlStage(t);
    const collector = openNvmlCollector(t, stage);
    await gather(collector, hasSamples);
    stage.set({ gpu: 1, code: 15 });
    const lost = await gather(collector, (batch) => noteOn(batch, 'GPU-b')?.trouble === 'GPU is lost');
    t.equal(noteOn(lost, 'GPU-b')?.absent.utilization, 'GPU is lost');
    stage.clear();
    const healedAt = Date.now();
    const healed = await gather(
      collector,
      (batch) => noteOn(batch, 'GPU-b')?.trouble === null && isKnown(batch, 'GPU-b'),
    );
    t.ok(Date.now() - healedAt < 5000);
    const [first] = valuesOn(healed, 'GPU-b');
    t.ok(first !== undefined && isBlank(first), 'it was asked, and not known');
    const moments = (healed.samples ?? []).flatMap(({ subject, at }) => (subject === 'gpu:GPU-a' ? [at] : []));
    t.notOk(valuesOn(healed, 'GPU-a').some(isBlank));
    for (const [place, at] of moments.entries())
      t.ok(place === 0 || at - (moments[place - 1] ?? 0) < 1000, 'the healthy one has no gap');
    t.equal(pidsIn(stage).length, 1, 'all in one process');
  },
);

t.test('a GPU that is taken out is not forgotten, and is there again when it is back', beside(), async (t) => {
  const stage = createNvmlStage(t);
  const collector = openNvmlCollector(t, stage);
  await gather(collector, hasSamples);
  stage.set({ gpu: 0, removed: true });
  const gone = await gather(collector, (batch) => /does not list/.test(noteOn(batch, 'GPU-a')?.trouble ?? ''));
  t.ok(isKnown(gone, 'GPU-b'));
  t.match(gone.gpus, [{ uuid: 'GPU-b', index: 0 }], 'the other one has its place now');
  stage.clear();
  const back = await gather(collector, (batch) => isKnown(batch, 'GPU-a') && batch.gpus !== undefined);
  t.match(back.gpus, [
    { uuid: 'GPU-a', index: 0 },
    { uuid: 'GPU-b', index: 1 },
  ]);
});

t.test('a driver that vanishes says so and is found again when it is back', beside(), async (t) => {
  const stage = createNvmlStage(t);
  const collector = openNvmlCollector(t, stage);
  await gather(collector, hasSamples);
  for (const [code, words] of [
    [9, /^the NVIDIA driver is not loaded: .*lsmod/],
    [18, /^the driver was updated while the old one is still loaded: reboot/],
  ] as const) {
    stage.set({ code });
    await gather(collector, (batch) => batch.hasMore === true);
    t.match(await lookUntilFailure(collector), words);
    t.match(await lookUntilFailure(collector), words, 'again and again');
    stage.clear();
    for (let known = false; !known; )
      known = await gather(collector, hasSamples).then(
        (batch) => isKnown(batch, 'GPU-b'),
        () => false,
      );
  }
});

t.test('a sampler that is killed leaves a gap and is started again', beside(), async (t) => {
  const stage = createNvmlStage(t);
  const collector = openNvmlCollector(t, stage);
  await gather(collector, hasSamples);
  process.kill(pidsIn(stage)[0] ?? 0, 'SIGKILL');
  const gap = await gather(collector, (batch) => batch.hasMore === true);
  t.equal(gap.samples?.filter(({ values }) => isBlank(values)).length, 2);
  t.match(await lookUntilFailure(collector), /^the NVML sampler crashed/);
  await gather(collector, hasSamples);
  await collector.close?.();
  for (const pid of pidsIn(stage)) t.ok(hasEnded(pid), 'nothing lives on');
});

t.test('a service that is killed with -9 leaves no sampler behind, not even one that hangs', beside(), async (t) => {
  const stage = createNvmlStage(t);
  const service = fork(fileURLToPath(new URL('./orphan.ts', import.meta.url)), ['nvml', stage.library], {
    execArgv: [],
    env: { ...process.env, ...stage.environment },
  });
  await once(service, 'message');
  const [pid = 0] = pidsIn(stage);
  stage.set({ hangs: true });
  const hangs = () => last(stage.calls())?.atMs ?? 0;
  // It hangs when it has been silent for some periods.
  while (Date.now() - hangs() < 300) await new Promise((resolve) => setTimeout(resolve, 20));
  t.notOk(hasEnded(pid));
  service.kill('SIGKILL');
  await untilEnded(pid);
});

t.test('without koffi NVML cannot be used, and that is said in words', { buffered: true }, async (t) => {
  // A copy outside of the project finds none of its packages.
  const elsewhere = mkdtempSync(join(tmpdir(), 'signalbox-without-koffi-'));
  t.teardown(() => rmSync(elsewhere, { recursive: true, force: true }));
  cpSync('src', join(elsewhere, 'src'), { recursive: true });
  const url = pathToFileURL(join(elsewhere, 'src/collectors/gpu/nvml/collector.ts'));
  const { createNvmlCollector }: typeof import('../../../src/collectors/gpu/nvml/collector.ts') = await import(
    url.href
  );
  const collector = createNvmlCollector({
    ...{ library: null, intervalMs: 100, pidsAreForeign: null, environment: process.env },
    ...{ sources: { procfs: '/proc', passwd: '/etc/passwd' }, clock: systemClock, log: createLog().log },
  });
  t.teardown(() => collector.close?.());
  t.match(await collector.firstAnswer(), { kind: 'ended', why: /the package koffi is not there/ });
});

t.test('a GPU that may not be opened is told of once, and is watched as soon as it may', beside(), async (t) => {
  const stage = createNvmlStage(t);
  stage.set({ gpu: 1, code: 4 });
  const log = createLog();
  const collector = openNvmlCollector(t, stage, { log });
  const first = await gather(collector, hasSamples);
  t.match(first.gpus, [{ uuid: 'GPU-a' }]);
  t.equal(first.gpus?.length, 1);
  stage.clear();
  await gather(collector, (batch) => isKnown(batch, 'GPU-b'));
  const told = log.lines.filter(({ facts }) => 'text' in facts && /cannot be opened/.test(String(facts.text)));
  t.match(told, [{ level: 'warn', facts: { text: 'GPU 1 cannot be opened: Insufficient Permissions' } }]);
  t.equal(told.length, 1);
});
