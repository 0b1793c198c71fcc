import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, constants, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createKernelLogCollector } from '../../../src/collectors/process/kernel-log.ts';
import { parseKernelKill, parseXid } from '../../../src/collectors/process/kernel-log-parser.ts';
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
    driver: null,
  });
  t.teardown(() => collector.close?.());
  return {
    file,
    log,
    collector,
    advance: (ms: number) => {
      now += ms;
    },
    look: async () => (await collector.collect(SIGNAL)).kernelKills ?? [],
    xids: async () => (await collector.collect(SIGNAL)).xids,
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
  kernel.advance(1000);
  appendFileSync(kernel.file, killAt(5 * HOUR + 400, 3));
  t.match(await kernel.look(), [{ pid: 3, at: BOOTED_AT + 5 * HOUR + 400 }]);
  t.same(await kernel.look(), []);
});

t.test(
  'a kill after the machine slept is dated by when it was read, not by how long the kernel was awake',
  async (t) => {
    const kernel = open(t, emptyFile);
    t.same(await kernel.look(), []);
    kernel.advance(1000);
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
  t.match(kernel.log.lines[0]?.facts, { code: 'ENOENT', whatToDo: /--device \/dev\/kmsg/ });
  t.equal(await kernel.xids(), undefined, 'no XID seen is not the same as none there');
});

/** What drivers of 2012 to 2026 write, other numbers than those recorded. */
const XID_MESSAGES: readonly (readonly [message: string, gpu: string, xid: number])[] = [
  ['NVRM: Xid (PCI:0000:61:00): 79, pid=1234, name=python, GPU has fallen off the bus.', '0000:61:00', 79],
  ['NVRM: Xid (PCI:0000:0F:00): 79, pid=1122, GPU has fallen off the bus.', '0000:0f:00', 79],
  ['NVRM: Xid (PCI:0000:44:00): 79, GPU has fallen off the bus.', '0000:44:00', 79],
  ["NVRM: Xid (PCI:0000:0a:00): 62, pid='<unknown>', name=<unknown>, 2023b230 20238a3a", '0000:0a:00', 62],
  ['NVRM: Xid (PCI:0000:08:00): 31, pid=1, name=a): 99, b, Ch 00000023, intr 0. MMU Fault', '0000:08:00', 31],
  ['NVRM: Xid (PCI:0000:dc:00): 45, pid=9, name=python3, Ch 00000001 caused by previous Xid 149', '0000:dc:00', 45],
  ['NVRM: Xid (PCI:0000:01:00 GPU-I:05): 94, pid=7, Contained: CE User Channel (0x9). RST: No', '0000:01:00', 94],
  ['NVRM: Xid (PCI:0008:01:00 GPU-I:01 GPU-CI:02): 13, pid=9, name=x, Graphics Exception', '0008:01:00', 13],
  ['NVRM: Xid (PCI:0000:65:00.0): 154, GPU recovery action changed from 0x0 (None) to 0x2', '0000:65:00', 154],
  ['NVRM: Xid (0000:01:00): 13, 0005 00000000 0000502d 00000104', '0000:01:00', 13],
];

t.test('an error of a GPU is read in every form that drivers write it', async (t) => {
  for (const [message, gpu, xid] of XID_MESSAGES) {
    t.same(parseXid(`3,42,17000000,-;${message}`), { us: 17_000_000, gpu, xid, line: message });
    t.same(parseXid(`3,42,17000000,c;${message}`)?.xid, xid, 'also in a record that another one continues');
  }
});

t.test('what only looks like an error of a GPU is none', async (t) => {
  for (const record of [
    '12,42,17,-;NVRM: Xid (PCI:0000:61:00): 79, pid=1, name=python, GPU has fallen off the bus.',
    '3,42,17,-;python: NVRM: Xid (PCI:0000:61:00): 79, GPU has fallen off the bus.',
    '3,42,17,-;nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46',
    '3,42,17,-;NVRM: GPU 0000:61:00.0: GPU has fallen off the bus.',
    '3,42,17,-;NVRM: Xid (PCI:0000:61:0',
    '3,42,17,-;NVRM: Xid (PCI:0000:61:00): 7x9, cut',
    '4,43,18,-;printk: 512 messages dropped',
    '3,44,19,+;ed Xid (PCI:0000:61:00): 79, the second half of a record',
    ' DEVICE=+pci:0000:61:00.0',
    '',
  ]) {
    t.equal(parseXid(record), null, record);
  }
});

t.test('XIDs come once, dated, beside kills; a log without any says that there is none', async (t) => {
  const kernel = open(t, emptyFile);
  t.same(await kernel.xids(), []);
  kernel.advance(1000);
  const [message = ''] = XID_MESSAGES[0] ?? [];
  appendFileSync(
    kernel.file,
    `3,7,${(5 * HOUR + 400) * 1000},-;${message}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:61:00.0\n${killAt(5 * HOUR + 500, 3)}`,
  );
  const batch = await kernel.collector.collect(SIGNAL);
  t.same(batch.xids, [{ at: BOOTED_AT + 5 * HOUR + 400, gpu: '0000:61:00', xid: 79, line: message }]);
  t.match(batch.kernelKills, [{ pid: 3 }]);
  t.same(await kernel.collector.collect(SIGNAL), { xids: [] });
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
      driver: null,
    });
    t.teardown(() => collector.close?.());
    const { kernelKills = [] } = await collector.collect(SIGNAL);
    for (const { at } of kernelKills) t.ok(at <= Date.now() && at > Date.now() - HOUR);
    t.same(log.lines, []);
    t.same(await collector.collect(SIGNAL), { xids: [] }, 'and then there is nothing new');
  },
);
