import t from 'tap';
import { unambiguousUsOf } from '../../../src/collectors/gpu/nvml/fields.ts';
import { createPace } from '../../../src/collectors/gpu/nvml/pace.ts';
import { noCompiler } from '../../simulators/nvml/build.js';
import { A100, createNvmlStage, gather, hasSamples, isBlank, openNvmlCollector, valuesOn } from './nvml-stage.ts';
import { lookUntil } from './stage.ts';

t.test('a tick asks the driver little, and never for what blocks it', { skip: noCompiler }, async (t) => {
  const stage = createNvmlStage(t);
  const collector = openNvmlCollector(t, stage);
  let ticks = 0;
  await lookUntil(collector, ({ samples = [] }) => {
    ticks += samples.length / 2;
    return ticks >= 12;
  });
  await collector.close?.();
  const calls = stage.calls();
  const count = (name: string, gpu = 0) => calls.filter((call) => call.function === name && call.gpu === gpu).length;
  t.equal(count('nvmlDeviceGetHandleByIndex_v2'), 1, 'handles are fetched once');
  t.equal(calls.filter((call) => call.function === 'nvmlInit_v2').length, 1);
  t.equal(calls.filter((call) => call.function === 'nvmlDeviceGetPcieThroughput').length, 0);

  const lists = calls.filter((call) => call.function.startsWith('nvmlDeviceGetComputeRunning') && call.gpu === 0);
  for (const [place, { atMs }] of lists.entries())
    t.ok(place === 0 || atMs - (lists[place - 1]?.atMs ?? 0) > 900, 'processes are listed once a second');
  t.ok(lists.length >= 2);

  const rates = calls.filter((call) => call.function === 'nvmlDeviceGetUtilizationRates' && call.gpu === 0);
  const [from, to] = [rates[3], rates[4]];
  const between = calls.filter(({ gpu, atMs }) => gpu === 0 && atMs >= (from?.atMs ?? 0) && atMs < (to?.atMs ?? 0));
  t.ok(between.length <= 10, `${between.length} calls for a GPU in a tick`);
  t.equal(new Set(calls.map(({ thread }) => thread)).size, 1, 'all from one thread: no thread pool');
});

t.test('PCIe counters are read twice a tick only where they could wrap from one to the next', async (t) => {
  const near = (us: number, ms: number) => t.ok(Math.abs(us / 1000 - ms) < 1, `${us} µs is about ${ms} ms`);
  near(unambiguousUsOf(5, 16), 67);
  near(unambiguousUsOf(4, 16), 134);
  near(unambiguousUsOf(3, 8), 537);
  t.equal(unambiguousUsOf(null, null), unambiguousUsOf(5, 16), 'the fastest where the driver does not say');
  if (noCompiler !== false) return;
  const H100 = { uuid: 'GPU-h', name: 'NVIDIA H100 80GB HBM3', memoryMib: 81_559, powerLimit: 700 };
  for (const [gpu, intervalMs, times] of [
    [A100, 100, 1],
    [H100, 100, 2],
    [A100, 200, 2],
  ] as const) {
    const stage = createNvmlStage(t, { gpus: [gpu] });
    const collector = openNvmlCollector(t, stage, { intervalMs });
    const rates: (number | null | undefined)[] = [];
    await lookUntil(collector, (batch) => rates.push(...valuesOn(batch, gpu.uuid).map(({ pcieRx }) => pcieRx)) >= 5);
    await collector.close?.();
    const ticks = stage
      .calls()
      .flatMap(({ function: name }, at) => (name === 'nvmlDeviceGetUtilizationRates' ? at : []));
    const between = stage.calls().slice(ticks[2], ticks[4]);
    const asked = between.filter(({ function: name }) => name === 'nvmlDeviceGetFieldValues').length;
    t.equal(asked, 2 * times, `${gpu.name} every ${intervalMs} ms`);
    t.ok(rates.some((rate) => typeof rate === 'number' && rate > 0));
  }
});

t.test('what a board does not have is not asked again and again', { skip: noCompiler }, async (t) => {
  const stage = createNvmlStage(t);
  stage.set({ function: 'nvmlDeviceGetPowerUsage', code: 3, gpu: 1 });
  const collector = openNvmlCollector(t, stage);
  let ticks = 0;
  await lookUntil(collector, ({ samples = [] }) => {
    ticks += samples.length / 2;
    return ticks >= 4;
  });
  const asked = stage.calls().filter((call) => call.function === 'nvmlDeviceGetPowerUsage');
  t.equal(asked.filter(({ gpu }) => gpu === 1).length, 1);
  t.ok(asked.filter(({ gpu }) => gpu === 0).length >= 4);
});

t.test('a service that is held up itself does not take the driver for hung', { skip: noCompiler }, async (t) => {
  const stage = createNvmlStage(t);
  const collector = openNvmlCollector(t, stage);
  await gather(collector, hasSamples);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  const { samples = [] } = await gather(collector, hasSamples);
  t.notOk(samples.some(({ values }) => isBlank(values)));
  t.equal(new Set(stage.calls().map(({ pid }) => pid)).size, 1);
});

t.test('a driver that gets slow is asked less often, and as before when it is quick again', async (t) => {
  const remarks: string[] = [];
  const pace = createPace(100, (text) => remarks.push(text));
  const run = (ms: number): number => Array.from({ length: 20 }, () => pace.after(ms)).at(-1) ?? 0;
  t.equal(run(3), 100);
  t.equal(run(40), 200, 'more than a quarter of its period');
  t.equal(run(60), 400);
  t.equal(run(300), 400, 'never more than four times, or it would look like a hang');
  t.equal(run(60), 400, 'neither too much nor little');
  t.same([run(3), run(3), run(3)], [350, 300, 250]);
  t.equal(Array.from({ length: 3 }, () => run(3)).at(-1), 100);
  t.match(remarks[0], 'ticks take 40 ms of 100: GPUs are sampled every 200 ms for now');
  t.match(remarks.at(-1), /every 100 ms again/);
  for (let i = 0; i < 19; i++) pace.after(3);
  t.equal(pace.after(90), 100, 'one slow tick of twenty is no reason');
});
