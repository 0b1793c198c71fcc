import t from 'tap';
import { attributeGpus, type RunOnHost } from '../../src/core/attribution.ts';
import type { ProcessOfRun } from '../../src/core/attribution-facts.ts';
import type { ObservedProcess } from '../../src/core/batch.ts';

const AT = 1_757_427_471_000;
const GPUS = [
  { uuid: 'GPU-a', index: 0 },
  { uuid: 'GPU-b', index: 1 },
];

/** A process that the run said to be its own. */
const said = (pid: number, over: Partial<ProcessOfRun> = {}): ProcessOfRun => ({
  pid,
  beganFrom: AT - 10_000,
  beganTo: AT + 10_000,
  recorded: false,
  seenAliveAt: AT,
  goneAt: null,
  confidence: 1,
  ...over,
});

const run = (id: string, processes: readonly ProcessOfRun[] = []): RunOnHost => ({
  id,
  path: `/p/runs/${id}`,
  startedAt: AT,
  args: null,
  processes,
});

const process = (over: Partial<ObservedProcess> = {}): ObservedProcess => ({
  gpuUuid: 'GPU-a',
  pid: 100,
  memory: 2 ** 30,
  user: 'ann',
  command: 'python -u /home/ann/.config/Ultralytics/DDP/_temp_x.py',
  cwd: null,
  startedAt: AT,
  openFolders: [],
  ...over,
});

const matchOf = (runs: readonly RunOnHost[], ...processes: readonly ObservedProcess[]) =>
  attributeGpus(runs, GPUS, processes).processes.get(100) ?? null;

t.test('the process that a run says to be its own is that for certain', async (t) => {
  const runs = [run('one', [said(100)]), run('two')];
  t.match(matchOf(runs, process({ cwd: '/p' })), { run: 'one', confidence: 1 });
});

t.test('a pid that was given again, is gone, or was never seen on this host names nobody', async (t) => {
  for (const known of [
    said(100, { beganTo: AT - 5000 }),
    said(100, { goneAt: AT }),
    said(100, { seenAliveAt: null }),
  ]) {
    t.equal(matchOf([run('one', [known])], process()), null);
  }
  for (const parent of [said(7, { goneAt: AT }), said(7, { seenAliveAt: null })]) {
    t.equal(matchOf([run('one', [parent])], process({ parents: [7] })), null);
  }
  t.equal(matchOf([run('one', [said(100)])], process({ startedAt: null })), null, 'nobody knows when it began');
});

t.test('a worker or a rank belongs to the run of its nearest known parent, a little less surely', async (t) => {
  const runs = [run('one', [said(7)]), run('two', [said(8)])];
  t.match(matchOf(runs, process({ parents: [50, 8, 7] })), { run: 'two', confidence: 0.97 });
  const guessed = [run('one', [said(7, { confidence: 0.6 })])];
  t.match(matchOf(guessed, process({ parents: [7] })), { run: 'one', confidence: 0.58 });
});

t.test('a parent that is found on a GPU tells of its children too', async (t) => {
  const [one, two] = [run('one'), run('two')];
  const launcher = process({ pid: 7, openFolders: [two.path] });
  t.match(matchOf([one, two], process({ parents: [9, 7] }), launcher), { run: 'two', confidence: 0.92 });
});

t.test('who has a parent in one run and writes into another belongs to neither', async (t) => {
  const [one, two] = [run('one', [said(7)]), run('two')];
  t.equal(matchOf([one, two], process({ parents: [7], openFolders: [two.path] })), null);
  t.equal(matchOf([one, run('two', [said(7)])], process({ parents: [7] })), null, 'a parent of two runs');
});

t.test('a parent is believed more than the folder that a process works in', async (t) => {
  const later = { ...run('two'), startedAt: AT + 60_000 };
  const rank = process({ parents: [7], cwd: '/p', startedAt: AT + 59_000 });
  t.match(matchOf([run('one', [said(7)]), later], rank), { run: 'one' });
});

t.test('the ranks of one training go together, and two trainings at one address stay apart', async (t) => {
  const runs = [run('one'), run('two')];
  const job = (pid: number, parent: number, over: Partial<ObservedProcess> = {}) =>
    process({ pid, parents: [parent], environment: { MASTER_ADDR: '127.0.0.1', MASTER_PORT: '29500' }, ...over });
  const { processes } = attributeGpus(runs, GPUS, [
    job(1, 50, { openFolders: ['/p/runs/one'] }),
    job(2, 50, { gpuUuid: 'GPU-b' }),
    // In another container the same address is another one.
    job(3, 60),
    job(4, 60, { openFolders: ['/p/runs/two'] }),
    job(5, 70),
  ]);
  t.same(
    [...processes].map(([pid, { run, confidence }]) => [pid, run, confidence]),
    [
      [1, 'one', 0.95],
      [2, 'one', 0.92],
      [3, 'two', 0.92],
      [4, 'two', 0.95],
    ],
  );
});

t.test('where a training is told to write counts, not the weights of another run that it begins from', async (t) => {
  const command = 'python yolo train model=/p/runs/one/weights/best.pt project=/p/runs name=two';
  t.match(matchOf([run('one'), run('two')], process({ command })), { run: 'two', confidence: 0.8 });
});

t.test('a validation of a run that began long after it is not its training', async (t) => {
  const command = 'python yolo val model=/p/runs/one/weights/best.pt';
  t.equal(matchOf([run('one')], process({ command, startedAt: AT + 3_600_000 })), null);
});

t.test('of two runs that began nearly as near a process belongs to neither by its working folder', async (t) => {
  const runs = [run('one'), { ...run('two'), startedAt: AT + 30_000 }];
  t.equal(matchOf(runs, process({ cwd: '/p', startedAt: AT - 60_000 })), null);
  t.match(matchOf(runs, process({ cwd: '/p', startedAt: AT - 2000 })), { run: 'one' });
});

t.test('what was guessed gives way to a surer fact, and to nothing less', async (t) => {
  const [one, two] = [run('one'), run('two')];
  const guess = new Map([[100, { run: 'one', confidence: 0.6, startedAt: AT }]]);
  const known = (over: Partial<ObservedProcess>) => attributeGpus([one, two], GPUS, [process(over)], guess);
  t.match(known({ openFolders: [two.path] }).processes.get(100), { run: 'two', confidence: 0.95 });
  t.match(known({ openFolders: [one.path] }).processes.get(100), { run: 'one', confidence: 0.95 });
  t.match(known({}).processes.get(100), { run: 'one', confidence: 0.6 });
});

t.test('two runs on one GPU keep their processes, and the GPU belongs to neither', async (t) => {
  const runs = [run('one', [said(1)]), run('two', [said(2)])];
  const { gpus, processes } = attributeGpus(runs, GPUS, [process({ pid: 1 }), process({ pid: 2 })]);
  t.equal(processes.get(1)?.run, 'one');
  t.equal(processes.get(2)?.run, 'two');
  t.equal(gpus.size, 0);
});
