import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createHostCollector } from '../../../src/collectors/host/proc.ts';
import { createProcfs, HOST_LOADS } from '../../simulators/procfs.js';

const SIGNAL = new AbortController().signal;

const open = (t: Test) => {
  const folder = t.testdir({ data: {} });
  const procfs = createProcfs(join(folder, 'proc'));
  let now = 1_757_427_471_000;
  const collector = createHostCollector({
    procfs: procfs.folder,
    name: 'trainer1',
    roots: [join(folder, 'not/there/yet')],
    database: join(folder, 'data/signalbox.db'),
    intervalMs: 1000,
    clock: { now: () => now, after: () => () => {} },
  });
  t.teardown(() => collector.close?.());
  return {
    procfs,
    pass: (load: (typeof HOST_LOADS)['idle'], seconds: number) => {
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
      return { ...batch, values: batch.samples?.[0]?.values ?? {} };
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
  host.pass(HOST_LOADS.training, 1);
  t.equal((await host.look()).host, undefined);
});

t.test('between two looks there are rates, also while the disk holds everything up', async (t) => {
  const host = open(t);
  await host.look();
  host.pass(HOST_LOADS.training, 2);
  const training = (await host.look()).values;
  t.match(training, { cpu: 42, cpuIowait: 1, diskBusy: 14, diskRead: 120_000_000, netRx: 30_000 });
  host.pass(HOST_LOADS['waits for the disk'], 30);
  const waiting = (await host.look()).values;
  t.match(waiting, { cpu: 7, cpuIowait: 34, diskBusy: 99 });
  t.ok((waiting.pressureIo ?? 0) > 50, 'the pressure rises with it');
});

t.test('counters that begin anew give one gap, not a huge number', async (t) => {
  const host = open(t);
  host.pass(HOST_LOADS.training, 100);
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
