import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import t from 'tap';
import { createProcessWatch } from '../../../src/collectors/process/watch.ts';
import { createProcessStage } from './stage.ts';

const SIGNAL = new AbortController().signal;
const AT = 1_757_427_471_000;

t.test('each process that is asked for is told with its start and its state', async (t) => {
  const stage = createProcessStage(t);
  stage.put({ pid: 4711, startedAt: AT, state: 'D', name: 'a) R (b' });
  const watch = createProcessWatch({ procfs: stage.procfs, pids: () => [4711, 4712, 4711] });
  t.same(await watch.collect(SIGNAL), {
    lives: [
      { pid: 4711, startedAt: AT, state: 'D' },
      { pid: 4712, startedAt: null, state: null },
    ],
  });
  stage.remove(4711);
  t.match(await watch.collect(SIGNAL), { lives: [{ pid: 4711, startedAt: null, state: null }, {}] });
});

t.test('a process does not seem another one when the clock of the machine is set', async (t) => {
  const stage = createProcessStage(t);
  stage.put({ pid: 4711, startedAt: AT });
  const watch = createProcessWatch({ procfs: stage.procfs, pids: () => [4711] });
  const before = await watch.collect(SIGNAL);
  stage.setBoot(1_757_500_000);
  t.same(await watch.collect(SIGNAL), before);
});

t.test('nothing is said where nobody is asked for, or where there is no /proc', async (t) => {
  const stage = createProcessStage(t);
  t.same(await createProcessWatch({ procfs: stage.procfs, pids: () => [] }).collect(SIGNAL), {});
  t.same(await createProcessWatch({ procfs: `${stage.procfs}/not`, pids: () => [1] }).collect(SIGNAL), {});
});

t.test(
  'a real process is seen while it lives and missed when it was killed',
  {
    skip: existsSync('/proc/stat') ? false : 'this system has no /proc',
  },
  async (t) => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const pid = child.pid ?? 0;
    const watch = createProcessWatch({ procfs: '/proc', pids: () => [pid] });
    const { lives } = await watch.collect(SIGNAL);
    t.match(lives, [{ pid, state: /^[RSD]$/, startedAt: Number }]);
    t.ok(Math.abs((lives?.[0]?.startedAt ?? 0) - Date.now()) < 60_000, 'with the moment of its start');
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    t.match(await watch.collect(SIGNAL), { lives: [{ pid, state: null }] });
  },
);
