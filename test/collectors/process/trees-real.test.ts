import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { readProcess } from '../../../src/collectors/process/facts.ts';
import { createProcessTrees } from '../../../src/collectors/process/trees.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { noPython } from '../../e2e/stand-in.ts';

const SIGNAL = new AbortController().signal;
const LOADER = join(import.meta.dirname, '../../simulators/loader.py');
const PROCFS = '/proc';

const SKIP = existsSync('/proc/self/statm') ? noPython : 'this system has no /proc';

const startLoader = async (t: Test, naming: 'NAMED' | 'UNNAMED') => {
  const environment = { ...process.env, CUDA_VISIBLE_DEVICES: '3', WANDB_API_KEY: 'geheim' };
  const child = spawn('python3', [LOADER, 'train', naming], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const hear = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? 'null');
  // As loader.py writes it.
  const { workers, helper } = (await hear()) as { readonly workers: readonly number[]; readonly helper: number };
  const pid = child.pid ?? 0;
  const trees = createProcessTrees({
    procfs: PROCFS,
    runs: () => [{ run: 'one', pids: [pid] }],
    intervalMs: 1000,
    clock: systemClock,
  });
  return { child, pid, workers, helper, hear, trees };
};

for (const naming of ['NAMED', 'UNNAMED'] as const) {
  t.test(
    `a real training's workers are told, ${naming === 'NAMED' ? 'by the name that PyTorch gives them' : 'as copies of it'}`,
    { skip: SKIP },
    async (t) => {
      const { child, pid, workers, helper, hear, trees } = await startLoader(t, naming);
      const first = await trees.collect(SIGNAL);
      const roles = Object.fromEntries(first.processTrees?.[0]?.processes.map(({ pid, role }) => [pid, role]) ?? []);
      t.same(roles, {
        [pid]: 'training',
        ...Object.fromEntries(workers.map((w) => [w, 'worker'])),
        [helper]: 'helper',
      });
      t.match(first.processTrees, [{ environment: { CUDA_VISIBLE_DEVICES: '3' } }]);
      t.notMatch(JSON.stringify(first), /geheim/);

      child.stdin.write('spin\n');
      t.equal(await hear(), 'spun');
      const { samples, processTrees } = await trees.collect(SIGNAL);
      const cpuOf = (wanted: number | undefined) => processTrees?.[0]?.processes.find(({ pid }) => pid === wanted)?.cpu;
      const [busy = 0, ...idle] = workers.map(cpuOf);
      t.ok(busy !== null && busy > 5 && busy <= 110, `one worker used ${busy} % of a core`);
      t.same(idle, [0, 0]);
      const values = samples?.[0]?.values ?? {};
      t.match(values, { processes: 5, workers: 3, workersBlocked: 0, diskRead: Number, diskWrite: Number });
      t.ok(Math.abs((values.workersCpu ?? 0) - (busy ?? 0) / 3) < 0.11, 'the mean is over all three');
      t.ok((values.memory ?? 0) > 2 ** 20 && (values.memory ?? 0) < 2 ** 30, `${values.memory} bytes`);

      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
      t.same(await trees.collect(SIGNAL), { processTrees: [], samples: [] }, 'and then nothing is left of it');
    },
  );
}

t.test('a real worker is told with its parents and what it was started with', { skip: SKIP }, async (t) => {
  const { pid, workers } = await startLoader(t, 'UNNAMED');
  const facts = readProcess(workers[0] ?? 0, { procfs: PROCFS, passwd: '/etc/passwd' });
  t.same(facts.parents.slice(0, 2), [pid, process.pid]);
  t.same(facts.environment, { CUDA_VISIBLE_DEVICES: '3' });
  t.match(facts.command, /python3 .*loader\.py train UNNAMED/);
});
