import t from 'tap';
import { attributeGpus, type RunOnHost } from '../../src/core/attribution.ts';
import type { ProcessOfRun } from '../../src/core/attribution-facts.ts';
import type { ObservedProcess } from '../../src/core/batch.ts';

const AT = 1_757_427_471_000;
const MINUTE = 60_000;
const ROUNDS = 3000;

/** The generator of Park and Miller: the same numbers at every run of the test. */
const createDice = (seed: number) => {
  let state = seed;
  const below = (n: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
  const some = <T>(values: readonly T[]): readonly T[] => values.filter(() => below(3) === 0);
  const one = <T>(values: readonly T[], none: T): T => values[below(values.length)] ?? none;
  return { below, some, one };
};

const GPUS = [0, 1, 2].map((index) => ({ uuid: `GPU-${index}`, index }));

/** A few runs and processes that share folders, parents, addresses and moments as badly as they can. */
const createScene = (seed: number) => {
  const { below, some, one } = createDice(seed);
  const paths = ['/p/runs/train', '/p/runs/train2', '/p/runs/train-2', '/q/runs/train', '/p/runs'];
  const pids = [10, 11, 12, 13, 14, 15];
  const moment = () => AT + below(5) * 20_000 - MINUTE;
  const known = (): ProcessOfRun => {
    const beganFrom = moment();
    return {
      pid: one(pids, 10),
      beganFrom,
      beganTo: beganFrom + 30_000,
      recorded: below(2) === 0,
      seenAliveAt: below(2) === 0 ? AT : null,
      goneAt: below(4) === 0 ? AT : null,
      confidence: one([0.5, 0.6, 0.95, 1], 1),
    };
  };
  const runs = some(paths).map(
    (path, i): RunOnHost => ({
      id: `r${i}`,
      path,
      startedAt: below(6) === 0 ? null : moment(),
      args: one([null, {}, { device: 0 }, { device: '0,1' }, { device: 'cpu' }], null),
      processes: below(2) === 0 ? [known()] : [],
    }),
  );
  const seen = some([...pids, ...pids].slice(below(pids.length))).map(
    (pid): ObservedProcess => ({
      gpuUuid: 'GPU-0',
      pid,
      memory: 1,
      user: null,
      command: one([null, 'python train.py', ...paths.map((path) => `python a.py ${path}/weights/last.pt`)], null),
      cwd: one([null, '/', '/p', '/q', '/p/runs'], null),
      startedAt: below(6) === 0 ? null : AT + pid * 1000,
      openFolders: some(paths).slice(0, below(2)),
      parents: some(pids.filter((other) => other < pid)),
      environment: one([null, { MASTER_ADDR: 'localhost', MASTER_PORT: '1' }, { CUDA_VISIBLE_DEVICES: '1' }], null),
    }),
  );
  // A process is the same on every GPU that it uses.
  const byPid = [...new Map(seen.map((process) => [process.pid, process])).values()];
  const processes = byPid.flatMap((process) => some(GPUS).map(({ uuid }) => ({ ...process, gpuUuid: uuid })));
  return { runs, processes };
};

/** Whether anything that is known of the process itself speaks for the run. */
const isNamed = (run: RunOnHost, process: ObservedProcess): boolean =>
  process.openFolders.some((folder) => folder === run.path || folder.startsWith(`${run.path}/`)) ||
  (process.command ?? '').includes(`${run.path}/`) ||
  (process.cwd !== null && process.cwd !== '/' && `${run.path}/`.startsWith(`${process.cwd}/`)) ||
  (run.processes ?? []).some(({ pid }) => pid === process.pid || process.parents?.includes(pid));

t.test('no process ever gets a run that none of its facts names, nor those of its kin', async (t) => {
  let matched = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const { runs, processes } = createScene(seed);
    const { processes: matches } = attributeGpus(runs, GPUS, processes);
    for (const [pid, { run: id, confidence }] of matches) {
      matched++;
      const run = runs.find((candidate) => candidate.id === id);
      const own = processes.filter((process) => process.pid === pid);
      const isKin = (other: ObservedProcess) =>
        own.some(
          ({ parents, environment }) =>
            parents?.includes(other.pid) ||
            (environment?.MASTER_PORT !== undefined && parents?.[0] === other.parents?.[0]),
        );
      const named = run !== undefined && [...own, ...processes.filter(isKin)].some((process) => isNamed(run, process));
      if (!named || confidence <= 0 || confidence > 1) t.fail(`seed ${seed}: process ${pid} in run ${id}`);
    }
  }
  t.ok(matched > ROUNDS / 2, `${matched} processes were matched`);
});

t.test('a GPU belongs to a run only while every matched process on it is that run’s', async (t) => {
  let owned = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const { runs, processes } = createScene(seed);
    const { processes: matches, gpus } = attributeGpus(runs, GPUS, processes);
    for (const [uuid, owner] of gpus) {
      owned++;
      const others = processes.filter(
        ({ gpuUuid, pid }) => gpuUuid === uuid && (matches.get(pid)?.run ?? owner) !== owner,
      );
      if (others.length > 0) t.fail(`seed ${seed}: ${uuid} is ${owner}’s beside ${others[0]?.pid}`);
    }
  }
  t.ok(owned > ROUNDS / 4, `${owned} GPUs belonged to a run`);
});

t.test('the order in which runs and processes are told of changes nothing', async (t) => {
  for (let seed = 1; seed <= ROUNDS / 10; seed++) {
    const { runs, processes } = createScene(seed);
    const one = attributeGpus(runs, GPUS, processes).processes;
    const other = attributeGpus(runs.toReversed(), GPUS, processes).processes;
    t.strictSame(new Map(one), new Map(other), `seed ${seed}`);
  }
});
