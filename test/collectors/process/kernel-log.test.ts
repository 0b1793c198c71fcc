import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, constants, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createKernelLogCollector } from '../../../src/collectors/process/kernel-log.ts';
import { parseKernelKill } from '../../../src/collectors/process/kernel-log-parser.ts';
import { createLog } from '../gpu/stage.ts';
import { createProcessStage } from './stage.ts';

const SIGNAL = new AbortController().signal;
/** The stage was booted then; see process-stage.ts. */
const BOOTED_AT = 1_757_400_000_000;
const HOUR = 3_600_000;

const killAt = (ms: number, pid: number) =>
  `6,${pid},${ms * 1000},-;Out of memory: Killed process ${pid} (python) total-vm:9kB, anon-rss:8kB\n SUBSYSTEM=none\n`;

const open = (t: Test, path: (folder: string) => string) => {
  const { procfs } = createProcessStage(t);
  const log = createLog();
  let now = BOOTED_AT + 5 * HOUR;
  const file = path(procfs);
  const collector = createKernelLogCollector({
    path: file,
    procfs,
    clock: { now: () => now, after: () => () => {} },
    log: log.log,
  });
  t.teardown(() => collector.close?.());
  return {
    file,
    log,
    collector,
    pass: (ms: number) => {
      now += ms;
    },
    look: async () => (await collector.collect(SIGNAL)).kernelKills ?? [],
  };
};

const emptyFile = (folder: string) => {
  const file = join(folder, 'kmsg');
  writeFileSync(file, '5,0,0,-;Linux version 6.18\n');
  return file;
};

t.test('a kill is read in every form that kernels write it', async (t) => {
  for (const message of [
    'Out of memory: Killed process 1234 (python) total-vm:97kB, anon-rss:1kB, oom_score_adj:0',
    'Memory cgroup out of memory: Killed process 1234 (python) total-vm:97kB, anon-rss:1kB',
    'Out of memory (oom_kill_allocating_task): Killed process 1234 (python) total-vm:97kB',
    'Killed process 1234 (python) total-vm:97kB, anon-rss:1kB, file-rss:0kB',
    'Killed process 1234, UID 1000, (python) total-vm:97kB, anon-rss:1kB, file-rss:0kB',
  ]) {
    t.same(parseKernelKill(`3,42,17000000,-;${message}`), { us: 17_000_000, pid: 1234, line: message });
  }
});

t.test('other records, and words that a program wrote into the kernel log, are no kill', async (t) => {
  for (const record of [
    '12,42,17,-;Out of memory: Killed process 1234 (python)',
    '6,42,17,-;python: Out of memory: Killed process 1234 (python)',
    '6,42,17,-;oom_reaper: reaped process 1234 (python), now anon-rss:0kB',
    '4,42,17,-;Out of memory: Kill process 1234 (python) score 900 or sacrifice child',
    ' SUBSYSTEM=Killed process 1234 (python)',
    '6,42,17,-;Out of memory: Killed process 12',
    '',
  ]) {
    t.equal(parseKernelKill(record), null, record);
  }
});

t.test('kills of the last hour are told at the start, later ones as they come, each once', async (t) => {
  const kernel = open(t, emptyFile);
  appendFileSync(kernel.file, killAt(3.9 * HOUR, 1) + killAt(4.5 * HOUR, 2));
  t.match(await kernel.look(), [{ pid: 2, at: BOOTED_AT + 4.5 * HOUR, line: /^Out of memory: Killed process 2 / }]);
  kernel.pass(1000);
  appendFileSync(kernel.file, killAt(5 * HOUR + 400, 3));
  t.match(await kernel.look(), [{ pid: 3, at: BOOTED_AT + 5 * HOUR + 400 }]);
  t.same(await kernel.look(), []);
});

t.test(
  'a kill after the machine slept is dated by when it was read, not by how long the kernel was awake',
  async (t) => {
    const kernel = open(t, emptyFile);
    t.same(await kernel.look(), []);
    kernel.pass(1000);
    appendFileSync(kernel.file, killAt(2 * HOUR, 7));
    t.match(await kernel.look(), [{ pid: 7, at: BOOTED_AT + 5 * HOUR }]);
  },
);

t.test('what could not be kept is told again', async (t) => {
  const kernel = open(t, emptyFile);
  appendFileSync(kernel.file, killAt(4.5 * HOUR, 2));
  t.match(await kernel.look(), [{ pid: 2 }]);
  kernel.collector.startOver?.();
  t.match(await kernel.look(), [{ pid: 2 }]);
});

t.test('a log that has nothing to say now is not waited for, and a record may come in two parts', async (t) => {
  const kernel = open(t, (folder) => {
    execFileSync('mkfifo', [join(folder, 'kmsg')]);
    return join(folder, 'kmsg');
  });
  const writer = openSync(kernel.file, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(writer));
  t.same(await kernel.look(), []);
  const record = killAt(4.9 * HOUR, 9);
  writeSync(writer, record.slice(0, 40));
  t.same(await kernel.look(), []);
  writeSync(writer, record.slice(40));
  t.match(await kernel.look(), [{ pid: 9 }]);
});

t.test('a kernel log that cannot be read is said once', async (t) => {
  const kernel = open(t, (folder) => join(folder, 'none'));
  t.same(await kernel.look(), []);
  t.same(await kernel.look(), []);
  t.equal(kernel.log.lines.length, 1);
});

const canRead = (): boolean => {
  try {
    const file = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readSync(file, Buffer.alloc(8192)) > 0;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
};

t.test(
  "this machine's own kernel log is read to its end",
  {
    skip: canRead() ? false : 'the kernel log cannot be read here',
  },
  async (t) => {
    const log = createLog();
    const collector = createKernelLogCollector({
      path: '/dev/kmsg',
      procfs: '/proc',
      clock: { now: Date.now, after: () => () => {} },
      log: log.log,
    });
    t.teardown(() => collector.close?.());
    const { kernelKills = [] } = await collector.collect(SIGNAL);
    for (const { at } of kernelKills) t.ok(at <= Date.now() && at > Date.now() - HOUR);
    t.same(log.lines, []);
    t.same(await collector.collect(SIGNAL), {}, 'and then there is nothing new');
  },
);
