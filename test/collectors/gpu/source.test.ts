import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { findGpuCollectors } from '../../../src/collectors/gpu/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { noCompiler } from '../../simulators/nvml/build.js';
import { createNvmlStage } from './nvml-stage.ts';
import { createLog, createStage, untilEnded } from './stage.ts';

type Fault = import('../../simulators/nvml/install.js').Fault;

const ANY = { nvml: null, intervalMs: 1000, clock: systemClock, isSimulated: false };

const find = async (
  t: Test,
  mode: Parameters<typeof findGpuCollectors>[0]['mode'],
  nvidiaSmi: string | null,
  nvml: string | null = null,
) => {
  const { log } = createLog();
  const found = await findGpuCollectors({ ...ANY, mode, nvidiaSmi, nvml, log });
  t.teardown(() => Promise.all(found.collectors.map((collector) => collector.close?.())));
  return { says: found.says, names: found.collectors.map(({ name }) => name) };
};

t.test('the GPUs that are there are named, and watched with their processes', async (t) => {
  t.same(await find(t, 'auto', createStage(t).program), {
    says: '2 GPUs: NVIDIA A100-PCIE-40GB, NVIDIA T4, spare (driver 550.163.01), read by nvidia-smi',
    names: ['gpu', 'gpu-processes'],
  });
});

t.test('no nvidia-smi, or one that finds no GPU, is a normal state, said once in plain words', async (t) => {
  t.same(await find(t, 'auto', '/nonexistent/nvidia-smi'), {
    says: 'no NVIDIA GPU found (/nonexistent/nvidia-smi is not there or cannot be run): runs and host are watched all the same',
    names: [],
  });
  const stage = createStage(t, { fault: { kind: 'die', afterRounds: 0, code: 6 } });
  t.same(await find(t, 'auto', stage.program), {
    says: 'no NVIDIA GPU found: runs and host are watched all the same',
    names: [],
  });
});

t.test('a driver that fails now is watched all the same, because it may come back', async (t) => {
  const found = await find(t, 'auto', createStage(t, { fault: { kind: 'die', afterRounds: 0, code: 9 } }).program);
  t.match(found.says, /^no GPU can be read now: the NVIDIA driver is not loaded: .* it is tried again/);
  t.same(found.names, ['gpu', 'gpu-processes']);
});

t.test('where the CSV does not work the XML of the program on PATH is read, more seldom', async (t) => {
  const stage = createStage(t, { fault: { kind: 'noCsv' } });
  const before = process.env.PATH;
  process.env.PATH = `${stage.folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  t.same(await find(t, 'auto', null), {
    says: '2 GPUs: NVIDIA A100-PCIE-40GB, NVIDIA T4, spare (driver 550.163.01), read as XML every 5 s',
    names: ['gpu'],
  });
});

t.test('switched off means that nothing is started', async (t) => {
  const found = await find(t, 'off', '/nonexistent/nvidia-smi');
  t.match(found.says, /not watched \(--gpu off\)/);
  t.same(found.names, []);
});

t.test('a service that is ended while nvidia-smi hangs at its start leaves no nvidia-smi behind', async (t) => {
  const folder = t.testdir({ 'nvidia-smi': '#!/bin/sh\necho $$ > "$0.new"; mv "$0.new" "$0.pid"\nexec sleep 60\n' });
  const nvidiaSmi = join(folder, 'nvidia-smi');
  chmodSync(nvidiaSmi, 0o755);
  const end = new AbortController();
  const { log } = createLog();
  const finding = findGpuCollectors({ ...ANY, mode: 'auto', nvidiaSmi, log, signal: end.signal });
  while (!existsSync(`${nvidiaSmi}.pid`)) await pause(10);
  end.abort();
  await t.rejects(finding, { name: 'AbortError' });
  await untilEnded(Number(readFileSync(`${nvidiaSmi}.pid`, 'utf8')));
});

/** The stub library as the environment of this process names it; put back with the test. */
const installStub = (t: Test, faults: readonly Fault[] = []) => {
  const stub = createNvmlStage(t);
  for (const fault of faults) stub.set(fault);
  for (const [name, value] of Object.entries(stub.environment)) process.env[name] = value;
  t.teardown(() => {
    for (const name of Object.keys(stub.environment)) delete process.env[name];
  });
  return stub.library;
};

t.test('the library is preferred where it loads, and names what it finds', { skip: noCompiler }, async (t) => {
  const library = installStub(t);
  t.same(await find(t, 'auto', null, library), {
    says: '2 GPUs: NVIDIA A100-PCIE-40GB, NVIDIA T4 (driver 550.163.01), read by NVML',
    names: ['gpu'],
  });
  const program = createStage(t).program;
  t.match((await find(t, 'auto', program, library)).says, /read by NVML/);
  t.match((await find(t, 'nvidia-smi', program, library)).says, /read by nvidia-smi/);
});

t.test(
  'a driver that fails through the library is watched, because it may come back',
  { skip: noCompiler },
  async (t) => {
    const found = await find(t, 'nvml', null, installStub(t, [{ code: 18 }]));
    t.match(found.says, /^no GPU can be read now: the driver was updated while .* it is tried again/);
    t.same(found.names, ['gpu']);
  },
);

t.test('a library that is not there is said in clear words, and nvidia-smi is asked where it may be', async (t) => {
  t.match(await find(t, 'nvml', null, '/nowhere/libnvidia-ml.so.1'), {
    says: /^GPUs are not watched, --gpu nvml: the driver's library cannot be loaded \(\/nowhere.*No such file/,
    names: [],
  });
  const found = await find(t, 'auto', createStage(t).program, '/nowhere/libnvidia-ml.so.1');
  t.match(found.says, /read by nvidia-smi/);
});

t.test('a library that is none is refused', { skip: noCompiler }, async (t) => {
  t.match((await find(t, 'nvml', null, 'libc.so.6')).says, /it is no NVML library/);
});

t.test(
  'a service that is ended while the library hangs at its start leaves no process behind',
  { skip: noCompiler },
  async (t) => {
    const stub = createNvmlStage(t);
    stub.set({ function: 'nvmlInit_v2', hangs: true });
    for (const [name, value] of Object.entries(stub.environment)) process.env[name] = value;
    const end = new AbortController();
    const { log } = createLog();
    const finding = findGpuCollectors({
      ...ANY,
      mode: 'nvml',
      nvidiaSmi: null,
      nvml: stub.library,
      log,
      signal: end.signal,
    });
    while (stub.calls().length === 0) await pause(10);
    end.abort();
    await t.rejects(finding, { name: 'AbortError' });
    await untilEnded(stub.calls()[0]?.pid ?? 0);
  },
);
