import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { findGpuCollectors } from '../../../src/collectors/gpu/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { createLog, createStage, untilEnded } from './stage.ts';

const find = async (t: Test, mode: 'auto' | 'off', nvidiaSmi: string | null) => {
  const { log } = createLog();
  const found = await findGpuCollectors({ mode, nvidiaSmi, intervalMs: 1000, clock: systemClock, log });
  t.teardown(() => Promise.all(found.collectors.map((collector) => collector.close?.())));
  return { says: found.says, names: found.collectors.map(({ name }) => name) };
};

t.test('the GPUs that are there are named, and watched with their processes', async (t) => {
  t.same(await find(t, 'auto', createStage(t).program), {
    says: '2 GPUs: NVIDIA A100-PCIE-40GB, NVIDIA T4, spare (driver 550.163.01)',
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
  const options = { mode: 'auto', nvidiaSmi, intervalMs: 1000, clock: systemClock, log, signal: end.signal } as const;
  const finding = findGpuCollectors(options);
  while (!existsSync(`${nvidiaSmi}.pid`)) await pause(10);
  end.abort();
  await t.rejects(finding, { name: 'AbortError' });
  await untilEnded(Number(readFileSync(`${nvidiaSmi}.pid`, 'utf8')));
});
