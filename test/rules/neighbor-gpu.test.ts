import t from 'tap';
import { firedAfterS, judgeGpu } from './gpus.ts';
import { run, START_AT } from './rows.ts';

const GIB = 2 ** 30;
const stranger = { pid: 77, user: 'bob', command: 'python other.py', memory: 5 * GIB };

/** GiB on a GPU of 40 that a run trains on. */
const holding = (own: number | null, others: number) => ({
  run,
  strangers: others > 1 ? [stranger] : [],
  values: {
    utilization: 90,
    memoryUsed: ((own ?? 20) + others) * GIB,
    memoryTotal: 40 * GIB,
    runMemory: own === null ? null : own * GIB,
  },
});

t.test('somebody else on the GPU is a warning that names who, until they leave', async (t) => {
  const { fired } = judgeGpu(300, (second) => holding(20, second >= 100 && second < 200 ? 5.5 : 0.5));
  t.match(fired, [
    {
      rule: 'neighbor_gpu',
      severity: 'warning',
      subject: 'gpu:0',
      run: 'r1',
      state: 'resolved',
      problem: 'Others hold 5.5 GiB of gpu:0, where they used to hold 0.5 GiB. 14.5 GiB are free.',
      cause: { code: 'neighbor', text: 'Not of this run: pid 77 of bob, "python other.py".', confidence: 0.9 },
      result: 'the others have gone',
    },
  ]);
  t.match(fired[0]?.evidence.at(-1), { name: 'process 77 of bob', value: 5, unit: 'GiB' });
  t.equal(fired[0] && firedAfterS(fired[0]), 120);
});

t.test('a run that grows, and a list of processes that lags behind, is no neighbour', async (t) => {
  t.same(judgeGpu(600, (second) => holding(10 + second / 60, 0.5)).fired, []);
  // The memory in use is of now, that of the processes up to 10 s old.
  const lagging = (second: number) => {
    const ofThen = 10 + Math.floor(second / 10) / 2;
    return holding(ofThen, Math.max(0, 0.5 + (10 + second / 20) - ofThen - 0.5));
  };
  t.same(judgeGpu(600, lagging).fired, []);
  const dips = judgeGpu(600, (second) => holding(20, second % 50 === 0 ? 0 : 0.9));
  t.same(dips.fired, [], 'nor does one odd sample make the others small');
});

t.test('who was there before the run is no neighbour; who comes back after having left is', async (t) => {
  const { fired } = judgeGpu(400, (second) => holding(20, second >= 100 && second < 200 ? 0.5 : 5));
  t.match(fired, [{ state: 'firing' }]);
  t.equal(fired[0] && firedAfterS(fired[0]), 220);
});

t.test('without the memory of the processes nothing is claimed, and without a run there is no neighbour', async (t) => {
  t.same(judgeGpu(300, (second) => holding(null, second < 100 ? 0 : 10)).changes, []);
  t.same(judgeGpu(300, (second) => ({ ...holding(0, second < 100 ? 0 : 10), run: null })).changes, []);
  const unknown = judgeGpu(300, (second) => holding(second < 200 ? 20 : null, second < 100 ? 0 : 5));
  t.match(unknown.fired, [{ state: 'firing', noDataSince: START_AT + 200_000 }]);
});

t.test('a neighbour whose processes may not be read is told without them', async (t) => {
  const { fired } = judgeGpu(200, (second) => ({ ...holding(20, second < 100 ? 0 : 5), strangers: null }));
  t.match(fired, [{ cause: { confidence: 0.6, missing: ['the processes of others on the GPU'] } }]);
});
