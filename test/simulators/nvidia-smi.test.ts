// That the fake nvidia-smi fails as the real one does: what it prints, on which stream, and how it ends.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { installNvidiaSmi } from './fake-program.js';

type Simulation = import('./scenario.js').Simulation;
type Fault = import('./nvidia-smi-faults.js').Fault;

const GPUS = [
  { uuid: 'GPU-a', name: 'NVIDIA A100-SXM4-40GB', memoryMib: 40_960, powerLimit: 400 },
  { uuid: 'GPU-b', name: 'NVIDIA A100-SXM4-40GB', memoryMib: 40_960, powerLimit: 400 },
];
const CSV = ['--query-gpu=index,uuid', '--format=csv'];
const XML = ['-q', '-x'];

const install = (t: Test, changes: Partial<Simulation> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-smi-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const simulationFile = join(folder, 'simulation.json');
  const clock = { startAt: 0, wallStartAt: 0, speed: 0 };
  writeFileSync(
    simulationFile,
    JSON.stringify({ clock, driver: '550.163.01', gpus: GPUS, trainings: [], ...changes } satisfies Simulation),
  );
  return installNvidiaSmi({ folder, simulationFile });
};

/** What it prints and how it ends. */
const ask = (t: Test, changes: Partial<Simulation>, argv: readonly string[] = CSV) => {
  const { status, signal, stdout, stderr } = spawnSync(install(t, changes), argv);
  return { status, signal, stdout: stdout.toString('latin1'), stderr: String(stderr) };
};

t.test('it gives up in the words of the driver, on stdout, with the exit code of each', async (t) => {
  const ends = (code: number, driver = '550.163.01') => ask(t, { driver, fault: { kind: 'error', code } });
  t.match(ends(4), { status: 4, stdout: 'Failed to initialize NVML: Insufficient Permissions\n', stderr: '' });
  t.match(ends(9), { status: 9, stdout: /^NVIDIA-SMI has failed because .* running\.\n\n$/, stderr: '' });
  t.match(ends(999), { status: 255, stdout: 'Failed to initialize NVML: Unknown Error\n' });
  const mismatch = 'Failed to initialize NVML: Driver/library version mismatch\n';
  t.match(ends(18), { status: 18, stdout: `${mismatch}NVML library version: 550.163\n` });
  t.match(ends(18, '470.256.02'), { status: 255, stdout: mismatch });
});

t.test('one lost GPU ends an old program; a new one warns on stderr and prints the others', async (t) => {
  const lost: Fault = { kind: 'lost', gpu: 1 };
  const reboot = 'GPU is lost.  Reboot the system to recover this GPU\n\n\n';
  for (const [driver, which] of [
    ['470.256.02', 'GPU 1'],
    ['555.58.02', 'GPU1'],
  ]) {
    const said = { status: 15, stdout: `Unable to determine the device handle for ${which}: ${reboot}`.slice(0, -1) };
    t.match(ask(t, { driver: driver ?? '', fault: lost }), said);
    t.match(ask(t, { driver: driver ?? '', fault: lost }, XML), said);
  }
  const young = { driver: '595.99.02', fault: lost };
  t.match(ask(t, young), {
    status: 0,
    stdout: 'index, uuid\n0, GPU-a\n',
    stderr: /^Unable to determine the device handle for GPU1: 1: GPU is lost\. {2}Reboot/,
  });
  const { stdout } = ask(t, young, XML);
  t.match(stdout, /<attached_gpus>2</);
  t.equal(stdout.split('<gpu id').length, 2);
  t.match(ask(t, { fault: { ...lost, word: 'Unknown Error' } }), {
    status: 255,
    stdout: 'Unable to determine the device handle for GPU1: Unknown Error\n',
  });
});

t.test('no GPU is said in each way of asking', async (t) => {
  t.match(ask(t, { gpus: [] }), { status: 6, stdout: 'No devices were found\n' });
  t.match(ask(t, { gpus: [] }, XML), { status: 6, stdout: 'No devices were found\n' });
  t.match(ask(t, { gpus: [] }, ['-L']), { status: 0, stdout: 'No devices found.\n' });
});

t.test('it knows the fields of its driver and refuses others', async (t) => {
  const asks = (driver: string, field: string) => ask(t, { driver }, [`--query-gpu=${field}`, '--format=csv']);
  t.match(asks('470.256.02', 'memory.reserved'), {
    status: 2,
    stdout: 'Field "memory.reserved" is not a valid field to query.\n\n',
  });
  t.match(asks('550.163.01', 'memory.reserved'), { status: 0, stdout: /617 MiB/ });
  for (const driver of ['470.256.02', '595.99.02']) {
    t.match(asks(driver, 'clocks_throttle_reasons.active'), { status: 0, stdout: /0x0000000000000001/ });
  }
  t.match(ask(t, {}, ['--query-gpu=index']), { status: 2, stdout: /^Invalid combination/ });
});

t.test('the XML has the elements of its driver', async (t) => {
  const xmlOf = (driver: string) => ask(t, { driver }, XML).stdout;
  for (const [driver, dtd, reasons, power] of [
    ['470.256.02', 'v11', 'clocks_throttle_reasons', /<power_readings>.*<power_draw>\d.*<enforced_power_limit>/s],
    ['535.261.03', 'v12', 'clocks_event_reasons', /<gpu_power_readings>.*<power_draw>\d.*<current_power_limit>/s],
    ['550.163.01', 'v12', 'clocks_event_reasons', /<average_power_draw>N\/A.*<instant_power_draw>\d/s],
    ['580.178.04', 'v13', 'clocks_event_reasons', /<average_power_draw>N\/A.*<instant_power_draw>\d/s],
  ] as const) {
    const xml = xmlOf(driver);
    t.match(xml, `nvsmi_device_${dtd}.dtd`);
    t.match(xml, `<${reasons}>`);
    t.match(xml, power);
  }
});

t.test('a text stands where a number should be', async (t) => {
  const cell: Fault = { kind: 'cell', field: 'index', text: '[Unknown Error]' };
  t.match(ask(t, { fault: cell }).stdout, '\n[Unknown Error], GPU-a\n');
  const element: Fault = { kind: 'element', name: 'gpu_util', text: 'GPU is lost' };
  t.match(ask(t, { fault: element }, XML).stdout, '<gpu_util>GPU is lost</gpu_util>');
});

t.test('output is cut off, has lines of another system or letters of another encoding', async (t) => {
  t.match(ask(t, { fault: { kind: 'truncated', bytes: 700 } }, XML), { signal: 'SIGKILL', stdout: /^.{700}$/s });
  t.match(ask(t, { fault: { kind: 'crlf' } }), { stdout: 'index, uuid\r\n0, GPU-a\r\n1, GPU-b\r\n' });
  const processes = [{ pid: 7, name: '/home/zoë/train, v2', memoryMib: 10 }];
  const apps = ['--query-compute-apps=pid,process_name,used_gpu_memory', '--format=csv,noheader,nounits'];
  t.match(ask(t, { processes, fault: { kind: 'latin1' } }, apps), { stdout: '7, /home/zoë/train, v2, 10\n' });
  t.match(ask(t, { processes: [] }, apps), { status: 0, stdout: '' });
});

t.test('one that hangs does not listen to SIGTERM', async (t) => {
  const child = spawn(install(t, { fault: { kind: 'hang', afterRounds: 1 } }), [...CSV, '-lms', '20']);
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  t.equal(await Promise.race([ended, pause(200, 'still there')]), 'still there');
  child.kill('SIGKILL');
  t.equal(await ended, 'SIGKILL');
});

t.test('on a clock that is moved by hand the stream goes on by the machine’s', async (t) => {
  const child = spawn(install(t), [...CSV, '-lms', '20']);
  t.teardown(() => child.kill('SIGKILL'));
  let lines = 0;
  await new Promise<void>((resolve) =>
    child.stdout.on('data', (chunk: Buffer) => {
      lines += String(chunk).split('\n').length - 1;
      if (lines > 6) resolve();
    }),
  );
  t.ok(lines > 6);
});
