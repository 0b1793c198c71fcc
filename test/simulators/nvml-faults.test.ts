// What a test can make go wrong with the stub library.
import t from 'tap';
import { noCompiler } from './nvml/build.js';
import { createStage } from './nvml/stage.ts';

const [NOT_SUPPORTED, NO_PERMISSION, DRIVER_NOT_LOADED, GPU_IS_LOST, VERSION_MISMATCH] = [3, 4, 9, 15, 18];

t.test(
  'one function fails, of one GPU, after some calls that went well, until it is healed',
  {
    skip: noCompiler,
  },
  async (t) => {
    const { nvml, set, clear } = createStage(t);
    const [one, other] = [nvml.gpu(0), nvml.gpu(1)];
    const power = (gpu: bigint) => nvml.call('nvmlDeviceGetPowerUsage', gpu, Buffer.alloc(4));
    set({ function: 'nvmlDeviceGetPowerUsage', gpu: 0, after: 2, code: NOT_SUPPORTED });
    t.same([power(one), power(one), power(one), power(one)], [0, 0, NOT_SUPPORTED, NOT_SUPPORTED]);
    t.equal(power(other), 0);
    t.equal(nvml.call('nvmlDeviceGetTemperature', one, 0, Buffer.alloc(4)), 0);
    clear();
    t.equal(power(one), 0);
  },
);

t.test(
  'a lost GPU stays lost until the library is started anew, and the others go on',
  { skip: noCompiler },
  async (t) => {
    const { nvml, set, clear } = createStage(t);
    const gpus = [nvml.gpu(0), nvml.gpu(1)];
    const rates = () => gpus.map((gpu) => nvml.call('nvmlDeviceGetUtilizationRates', gpu, Buffer.alloc(8)));
    set({ gpu: 1, code: GPU_IS_LOST });
    t.same(rates(), [0, GPU_IS_LOST]);
    t.equal(nvml.call('nvmlDeviceGetHandleByIndex_v2', 1, Buffer.alloc(8)), GPU_IS_LOST);
    clear();
    t.same(rates(), [0, GPU_IS_LOST]);
    nvml.call('nvmlShutdown');
    nvml.call('nvmlInit_v2');
    t.same(rates(), [0, 0]);
  },
);

t.test('a driver that vanishes takes every call with it, the next init too', { skip: noCompiler }, async (t) => {
  for (const code of [DRIVER_NOT_LOADED, VERSION_MISMATCH]) {
    const { nvml, set, clear } = createStage(t);
    const gpu = nvml.gpu(0);
    const count = () => nvml.call('nvmlDeviceGetCount_v2', Buffer.alloc(4));
    set({ code });
    t.same([count(), nvml.call('nvmlDeviceGetPowerUsage', gpu, Buffer.alloc(4))], [code, code]);
    nvml.call('nvmlShutdown');
    t.equal(nvml.call('nvmlInit_v2'), code);
    clear();
    t.equal(nvml.call('nvmlInit_v2'), 0);
    t.equal(count(), 0);
  }
});

t.test('a GPU that nobody may open is counted and refuses its handle', { skip: noCompiler }, async (t) => {
  const { nvml, set } = createStage(t);
  set({ gpu: 0, code: NO_PERMISSION });
  t.equal(nvml.number('nvmlDeviceGetCount_v2'), 2);
  t.equal(nvml.call('nvmlDeviceGetHandleByIndex_v2', 0, Buffer.alloc(8)), NO_PERMISSION);
  t.equal(nvml.call('nvmlDeviceGetHandleByIndex_v2', 1, Buffer.alloc(8)), 0);
});

t.test('a GPU that is taken out is lost, and the next start does not count it', { skip: noCompiler }, async (t) => {
  const { nvml, set, clear } = createStage(t);
  const gpu = nvml.gpu(0);
  const restart = () => ['nvmlShutdown', 'nvmlInit_v2'].map((name) => nvml.call(name));
  set({ gpu: 0, removed: true });
  t.equal(nvml.call('nvmlDeviceGetUtilizationRates', gpu, Buffer.alloc(8)), GPU_IS_LOST);
  restart();
  t.equal(nvml.number('nvmlDeviceGetCount_v2'), 1);
  t.equal(nvml.text('nvmlDeviceGetUUID', nvml.gpu(0)), 'GPU-b', 'the other one has moved up');
  clear();
  restart();
  t.equal(nvml.number('nvmlDeviceGetCount_v2'), 2);
});

t.test('a call is slow, and one that hangs comes back when it is let go', { skip: noCompiler }, async (t) => {
  const { nvml, set, clear } = createStage(t);
  const gpu = nvml.gpu(0);
  set({ function: 'nvmlDeviceGetTemperature', ms: 30 });
  const before = performance.now();
  nvml.call('nvmlDeviceGetTemperature', gpu, 0, Buffer.alloc(4));
  t.ok(performance.now() - before >= 29);

  set({ function: 'nvmlDeviceGetUtilizationRates', hangs: true });
  let isBack = false;
  const hanging = nvml.callAside('nvmlDeviceGetUtilizationRates', gpu, Buffer.alloc(8)).then((code) => {
    isBack = true;
    return code;
  });
  t.equal(await nvml.callAside('nvmlDeviceGetTemperature', gpu, 0, Buffer.alloc(4)), 0, 'another call goes on');
  t.notOk(isBack);
  clear();
  t.equal(await hanging, 0);
});

t.test('every call is written down with its time, process, thread and GPU', { skip: noCompiler }, async (t) => {
  const { nvml, calls } = createStage(t);
  nvml.call('nvmlDeviceGetTemperature', nvml.gpu(1), 0, Buffer.alloc(4));
  await nvml.callAside('nvmlDeviceGetCount_v2', Buffer.alloc(4));
  const [init, handle, temperature, count] = calls();
  t.match(init, { function: 'nvmlInit_v2', gpu: null, pid: process.pid });
  t.match(handle, { function: 'nvmlDeviceGetHandleByIndex_v2', gpu: 1 });
  t.match(temperature, { function: 'nvmlDeviceGetTemperature', gpu: 1, thread: process.pid });
  t.match(count, { function: 'nvmlDeviceGetCount_v2', gpu: null });
  t.not(count?.thread, process.pid);
  t.ok(Math.abs((count?.atMs ?? 0) - Date.now()) < 5000);
});

t.test('other GPUs are found by the next start of the library', { skip: noCompiler }, async (t) => {
  const { nvml, play, simulation } = createStage(t);
  play({ ...simulation, gpus: simulation.gpus.slice(0, 1) });
  t.equal(nvml.number('nvmlDeviceGetCount_v2'), 2);
  nvml.call('nvmlShutdown');
  nvml.call('nvmlInit_v2');
  t.equal(nvml.number('nvmlDeviceGetCount_v2'), 1);
});
