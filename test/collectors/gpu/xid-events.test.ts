import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createXidEvents } from '../../../src/collectors/gpu/nvml/xid-events.ts';
import { createKernelLogCollector } from '../../../src/collectors/process/kernel-log.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { noCompiler } from '../../simulators/nvml/build.js';
import { createNvmlStage, stoppedAt } from './nvml-stage.ts';
import { createLog, hasEnded, lookUntil, lookUntilFailure, untilEnded } from './stage.ts';

// They wait far more than they work.
t.jobs = 4;
const beside = () => ({ skip: noCompiler, buffered: true });
const DRIVER_NOT_LOADED = 9;
const SIGNAL = new AbortController().signal;

/** A machine whose kernel log cannot be read, with an XID of each GPU that is still to come. */
const open = (t: Test, { library = null as string | null } = {}) => {
  const stage = createNvmlStage(t, {
    clock: stoppedAt(1000),
    incidents: [
      { kind: 'xid', gpu: 1, atS: 0.5, code: 13 },
      { kind: 'xid', gpu: 1, atS: 5, code: 31 },
      { kind: 'xid', gpu: 0, atS: 9, code: 63 },
    ],
  });
  const log = createLog();
  const common = { clock: systemClock, log: log.log };
  const environment = { ...process.env, ...stage.environment };
  const driver = createXidEvents({ library: library ?? stage.library, environment, ...common });
  const path = join(t.testdir({}), 'kmsg');
  const collector = createKernelLogCollector({ path, procfs: '/proc', driver, ...common });
  t.teardown(() => collector.close?.());
  const waiting = () => stage.calls().filter((call) => call.function === 'nvmlEventSetWait_v2');
  return {
    ...stage,
    log,
    collector,
    /** Resolves when a child has begun to wait for events after this moment; to its pid. */
    untilItWaits: async (afterMs = 0): Promise<number> => {
      for (;;) {
        const call = waiting().find(({ atMs }) => atMs > afterMs);
        if (call !== undefined) return call.pid;
        await collector.collect(SIGNAL).catch(() => {});
        await pause(10);
      }
    },
  };
};

t.test('where the kernel log cannot be read, XIDs come from the driver, each once', beside(), async (t) => {
  const { collector, step, untilItWaits, log } = open(t);
  await untilItWaits();
  step(5000);
  const first = await lookUntil(collector, ({ driverXids }) => driverXids !== undefined);
  t.match(first.driverXids, [{ gpu: 'GPU-b', xid: 31, line: 'NVML event: Xid 31' }], 'none from before it listened');
  t.ok(Math.abs((first.driverXids?.[0]?.at ?? 0) - Date.now()) < 10_000, 'dated by our clock');
  t.equal(first.xids, undefined, 'that none is told means nothing');
  step(5000);
  const second = await lookUntil(collector, ({ driverXids }) => driverXids !== undefined);
  t.match(second.driverXids, [{ gpu: 'GPU-a', xid: 63 }]);
  t.equal(second.driverXids?.length, 1);
  t.match(log.lines, [{ message: /NVML is asked for XIDs/, facts: { code: 'ENOENT' } }]);
});

t.test('a GPU that cannot be asked takes no XIDs of the others with it', beside(), async (t) => {
  const { collector, step, set, untilItWaits } = open(t);
  set({ function: 'nvmlDeviceRegisterEvents', gpu: 1, code: 15 });
  await untilItWaits();
  step(10_000);
  const { driverXids } = await lookUntil(collector, (batch) => batch.driverXids !== undefined);
  t.match(driverXids, [{ gpu: 'GPU-a', xid: 63 }]);
});

t.test('when the driver goes that is said, and another child listens when it is back', beside(), async (t) => {
  const { collector, step, set, clear, untilItWaits } = open(t);
  const first = await untilItWaits();
  set({ function: 'nvmlEventSetWait_v2', code: DRIVER_NOT_LOADED });
  t.match(await lookUntilFailure(collector), /driver is not loaded/);
  await untilEnded(first);
  clear();
  t.not(await untilItWaits(Date.now()), first);
  step(5000);
  const { driverXids } = await lookUntil(collector, (batch) => batch.driverXids !== undefined);
  t.match(driverXids, [{ gpu: 'GPU-b', xid: 31 }]);
});

t.test('a child that hangs in the driver ends with us', beside(), async (t) => {
  const { collector, set, untilItWaits } = open(t);
  set({ function: 'nvmlEventSetWait_v2', hangs: true });
  const pid = await untilItWaits();
  await collector.close?.();
  t.ok(hasEnded(pid));
});

t.test('where NVML cannot be had that is said once, and nothing is started again', beside(), async (t) => {
  const { collector, log } = open(t, { library: '/nowhere/libnvidia-ml.so.1' });
  const isSaid = () => log.lines.some(({ message }) => /cannot be had from the driver/.test(message));
  await lookUntil(collector, isSaid);
  for (let looks = 0; looks < 3; looks++) t.same(await collector.collect(SIGNAL), {});
  t.equal(log.lines.filter(({ message }) => /cannot be had/.test(message)).length, 1);
});
