import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createHostCollector } from '../../../src/collectors/host/proc.ts';
import { HOST_METRICS } from '../../../src/core/metrics.ts';
import { createProcfs, HOST_LOADS } from '../../simulators/procfs.js';

const SIGNAL = new AbortController().signal;

const open = (t: Test) => {
  const folder = t.testdir({ data: {} });
  const procfs = createProcfs(join(folder, 'proc'));
  let now = 1_757_427_471_000;
  const collector = createHostCollector({
    procfs: procfs.folder,
    sysfs: null,
    name: 'trainer1',
    roots: [join(folder, 'not/there/yet')],
    database: join(folder, 'data/signalbox.db'),
    intervalMs: 1000,
    clock: { now: () => now, after: () => () => {} },
  });
  t.teardown(() => collector.close?.());
  return {
    procfs,
    advance: (load: (typeof HOST_LOADS)['idle'], seconds: number) => {
      procfs.advance(load, seconds);
      now += seconds * 1000;
    },
    /** Another boot: every counter begins at 0 again, a second later. */
    restart: () => {
      createProcfs(procfs.folder);
      now += 1000;
    },
    look: async () => {
      const batch = await collector.collect(SIGNAL);
      const { hostDetail } = batch;
      if (hostDetail === undefined) throw new Error('a look has no detail');
      return { ...batch, hostDetail, values: batch.samples?.[0]?.values ?? {} };
    },
  };
};

t.test('the first look knows levels but no rates, and tells the facts of the host once', async (t) => {
  const host = open(t);
  const first = await host.look();
  t.match(first.samples, [{ subject: 'host:trainer1', at: 1_757_427_471_000 }]);
  t.match(first.host, { name: 'trainer1', cpuCores: Number, memoryTotal: Number });
  t.match(first.values, {
    cpu: null,
    diskRead: null,
    diskBusy: null,
    netRx: null,
    memoryTotal: 128 * 2 ** 30,
    swapUsed: 0,
  });
  host.advance(HOST_LOADS.training, 1);
  t.equal((await host.look()).host, undefined);
});

t.test('between two looks there are rates, also while the disk holds everything up', async (t) => {
  const host = open(t);
  await host.look();
  host.advance(HOST_LOADS.training, 2);
  const training = (await host.look()).values;
  t.match(training, { cpu: 42, cpuMaxCore: 96, cpuIowait: 1, diskBusy: 14, diskRead: 120_000_000, netRx: 30_000 });
  host.advance(HOST_LOADS['waits for the disk'], 30);
  const waiting = (await host.look()).values;
  t.match(waiting, { cpu: 7, cpuIowait: 34, diskBusy: 99 });
  t.ok((waiting.pressureIo ?? 0) > 50, 'the pressure rises with it');
  t.ok((waiting.diskLatency ?? 0) > 10 * (training.diskLatency ?? Number.NaN), 'and every request takes longer');
});

t.test('counters that begin anew give one gap, not a huge number', async (t) => {
  const host = open(t);
  host.advance(HOST_LOADS.training, 100);
  await host.look();
  host.restart();
  const values = (await host.look()).values;
  t.match(values, { diskRead: null, diskBusy: null, netRx: null });
});

t.test('a kernel without pressure information leaves only that out', async (t) => {
  const host = open(t);
  rmSync(join(host.procfs.folder, 'pressure'), { recursive: true });
  const { values } = await host.look();
  t.match(values, { pressureCpu: null, pressureIo: null, pressureMemory: null, memoryTotal: 128 * 2 ** 30 });
});

t.test('part by part it is the same as together', async (t) => {
  const host = open(t);
  await host.look();
  host.advance(HOST_LOADS.training, 2);
  const { values, hostDetail } = await host.look();
  t.equal(hostDetail.host, 'trainer1');
  t.equal(hostDetail.cores?.length, 16);
  t.equal(hostDetail.cores?.[0], values.cpuMaxCore);
  t.same(hostDetail.disks, [
    {
      name: 'nvme0n1',
      read: values.diskRead,
      write: values.diskWrite,
      busy: values.diskBusy,
      latency: values.diskLatency,
    },
  ]);
  t.same(hostDetail.networks, [{ name: 'eth0', rx: values.netRx, tx: values.netTx }]);
  t.match(hostDetail.spaces, [
    { use: 'watched' },
    { use: 'database' },
    { path: '/dev/shm', use: 'shm', type: 'tmpfs' },
  ]);
});

t.test('whatever is not known has its reason, and nothing else has one', async (t) => {
  const host = open(t);
  const check = (look: Awaited<ReturnType<typeof host.look>>, what: string) => {
    t.same(Object.keys(look.values).sort(), Object.keys(HOST_METRICS).sort(), what);
    const unknown = Object.keys(look.values).filter((metric) => look.values[metric] === null);
    t.same(Object.keys(look.hostDetail.absent).sort(), unknown.sort(), what);
  };
  const first = await host.look();
  check(first, 'the first look');
  t.match(first.hostDetail.absent, { cpu: 'a rate needs two looks', temperature: /no \/sys/ });
  host.advance(HOST_LOADS.idle, 1);
  check(await host.look(), 'the second look');
});

t.test('a text of the kernel that cannot be read takes only its own metrics away', async (t) => {
  const host = open(t);
  writeFileSync(join(host.procfs.folder, 'meminfo'), '\0\xff MemTotal: many kB\n'.repeat(20));
  writeFileSync(join(host.procfs.folder, 'diskstats'), 'a b c d e f g h i j k l m n o p\n');
  const { values, hostDetail } = await host.look();
  t.match(values, { memoryUsed: null, memoryTotal: null, diskRead: null });
  t.match(hostDetail.absent, {
    memoryUsed: '/proc/meminfo does not say',
    diskRead: 'no disk of its own is to be seen',
  });
  t.type(values.loadAvg1, 'number');
});

t.test('a file that was missing is read as soon as it is there', async (t) => {
  const host = open(t);
  const [file, aside] = [join(host.procfs.folder, 'loadavg'), join(host.procfs.folder, 'aside')];
  renameSync(file, aside);
  t.match((await host.look()).hostDetail.absent, { loadAvg1: '/proc/loadavg does not say' });
  renameSync(aside, file);
  t.type((await host.look()).values.loadAvg1, 'number');
});

t.test('free space is that of the nearest folder that exists', async (t) => {
  const host = open(t);
  for (;;) {
    const { values } = await host.look();
    if (values.diskFree === null) await new Promise(setImmediate);
    else {
      t.ok((values.diskFree ?? 0) > 0);
      return;
    }
  }
});

t.test(
  'this very machine has plausible values',
  { skip: process.platform !== 'linux' && 'no /proc here' },
  async (t) => {
    let now = 0;
    const collector = createHostCollector({
      procfs: '/proc',
      sysfs: '/sys',
      name: 'this',
      roots: [t.testdir({})],
      database: join(t.testdir({}), 'signalbox.db'),
      intervalMs: 1000,
      clock: { now: () => now, after: () => () => {} },
    });
    t.teardown(() => collector.close?.());
    await collector.collect(SIGNAL);
    now = 1000;
    const { samples, hostDetail } = await collector.collect(SIGNAL);
    const { memoryTotal, memoryUsed, loadAvg1 } = samples?.[0]?.values ?? {};
    t.ok((memoryTotal ?? 0) > 2 ** 28);
    t.ok((memoryUsed ?? 0) > 0 && (memoryUsed ?? 0) < (memoryTotal ?? 0));
    t.type(loadAvg1, 'number');
    t.ok((hostDetail?.cores?.length ?? 0) > 0);
    for (const [metric, value] of Object.entries(samples?.[0]?.values ?? {})) {
      t.ok(value === null ? hostDetail?.absent[metric] : value >= 0, metric);
    }
  },
);

t.test('without a /proc there is what systeminformation knows, and no reason is missing', async (t) => {
  const folder = t.testdir({});
  const collector = createHostCollector({
    procfs: join(folder, 'none'),
    sysfs: null,
    name: 'mac',
    roots: [],
    database: join(folder, 'signalbox.db'),
    intervalMs: 1000,
    clock: { now: () => 0, after: () => () => {} },
  });
  t.teardown(() => collector.close?.());
  t.same(collector.when, { everyMs: 5000 }, 'it starts programs for it, so it looks less often');
  const { samples, hostDetail } = await collector.collect(SIGNAL);
  t.match(samples?.[0]?.values, { memoryTotal: Number, memoryUsed: Number, pressureIo: null });
  t.match(hostDetail?.absent, { pressureIo: 'this system does not tell it', limitMemory: String });
  t.ok((hostDetail?.cores?.length ?? 0) > 0);
});
