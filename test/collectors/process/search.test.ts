import t, { type Test } from 'tap';
import { createProcessSearch, type SoughtRun } from '../../../src/collectors/process/search.ts';
import { createProcessStage } from './stage.ts';

const SIGNAL = new AbortController().signal;
const AT = 1_757_427_471_000;
const RUN = '/data/p/runs/train';
const O_RDONLY = '0100000';
const O_APPEND = '0102001';

const open = (t: Test) => {
  const stage = createProcessStage(t);
  let now = AT + 10_000;
  let runs: readonly SoughtRun[] = [{ path: RUN, startedAt: AT }];
  const search = createProcessSearch({
    procfs: stage.procfs,
    passwd: '/dev/null',
    runs: () => runs,
    clock: { now: () => now, after: () => () => {} },
  });
  return {
    ...stage,
    look: async () => (await search.collect(SIGNAL)).candidates,
    pass: (ms: number) => {
      now += ms;
    },
    seek: (sought: readonly SoughtRun[]) => {
      runs = sought;
    },
  };
};

t.test('a training is found with what it is matched by', async (t) => {
  const { put, look } = open(t);
  put({
    pid: 4711,
    startedAt: AT - 20_000,
    command: ['python', 'train.py', '--token', 'geheim'],
    cwd: '/data/p',
    files: [
      { path: `${RUN}/train.log`, flags: O_APPEND },
      { path: '/data/images/1.jpg', flags: O_RDONLY },
    ],
  });
  const [found, ...others] = (await look()) ?? [];
  t.same(others, []);
  t.match(found, { pid: 4711, command: 'python train.py --token ***', cwd: '/data/p', startedAt: AT - 20_000 });
  t.same(found?.openFolders, [RUN], 'what it only reads says nothing');
});

t.test('Python is taken for a training when it has PyTorch loaded; what is not Python never is', async (t) => {
  const { put, look } = open(t);
  const startedAt = AT - 5000;
  const torch = '7f00-7f01 r-xp 0 08:01 1 /usr/lib/python3/torch/lib/libtorch_cpu.so\n';
  put({ pid: 1, startedAt, command: ['python', 'main.py'], maps: torch });
  put({ pid: 2, startedAt, command: ['python', 'backup.py'], maps: '7f00-7f01 r-xp 0 08:01 1 /usr/lib/libc.so.6\n' });
  put({
    pid: 3,
    startedAt,
    command: ['vim', `${RUN}/args.yaml`],
    files: [{ path: `${RUN}/.args.swp`, flags: '0100002' }],
  });
  put({ pid: 4, startedAt, command: ['tail', '-f', `${RUN}/results.csv`] });
  put({ pid: 5, startedAt, command: [] });
  t.same(
    (await look())?.map(({ pid }) => pid),
    [1],
  );
});

t.test('processes that began when no run did are left alone', async (t) => {
  const { put, look } = open(t);
  put({ pid: 1, startedAt: AT - 3600_000, command: ['python', 'train.py'] });
  put({ pid: 2, startedAt: AT + 3600_000, command: ['python', 'train.py'] });
  t.same(await look(), []);
});

t.test('a run is searched for ever less often, and at once when it begins again', async (t) => {
  const { look, pass, seek } = open(t);
  const looks: number[] = [];
  for (let s = 0; s <= 300; s += 5) {
    if ((await look()) !== undefined) looks.push(s);
    pass(5000);
  }
  t.same(looks, [0, 5, 15, 35, 75, 135, 195, 255]);
  seek([{ path: RUN, startedAt: AT + 300_000 }]);
  t.same(await look(), []);
});

t.test('nothing is read while every active run has its process, or none knows when it began', async (t) => {
  const { look, seek } = open(t);
  seek([]);
  t.equal(await look(), undefined);
  seek([{ path: RUN, startedAt: null }]);
  t.equal(await look(), undefined);
});

t.test('many processes are looked through without one being lost', async (t) => {
  const { put, look } = open(t);
  for (let pid = 1; pid <= 600; pid++) put({ pid, startedAt: AT - 1000, command: ['python', 'train.py'] });
  t.equal((await look())?.length, 600);
});
