import { join } from 'node:path';
import t from 'tap';
import type { Batch } from '../src/core/batch.ts';
import { assemble, GPU, row, run, T0 } from './assembled.ts';

const OTHER = { ...GPU, uuid: 'GPU-b', index: 1 };
const LISTED: Batch = {
  gpus: [
    { ...GPU, pciBusId: '0000:61:00' },
    { ...OTHER, pciBusId: '0000:62:00' },
  ],
};
const TRAINING = {
  gpuUuid: 'GPU-a',
  pid: 42,
  memory: 2 ** 30,
  user: 'ann',
  command: 'python',
  cwd: '/runs',
  startedAt: T0 - 1000,
  openFolders: [],
};

const begin = (path?: string) => {
  const parts = assemble(path);
  const { time, store, pipeline } = parts;
  /** Lets so many seconds pass in which these GPUs give a sample. */
  const live = (seconds: number, ...answering: readonly string[]) => {
    for (let second = 0; second < seconds; second++) {
      time.now += 1000;
      const values = { utilization: 90, memoryUsed: 2 ** 32, temperature: 60 };
      pipeline.ingest({ samples: answering.map((uuid) => ({ subject: `gpu:${uuid}`, at: time.now, values })) });
      pipeline.judge();
    }
  };
  const firing = () => store.openAlerts().map(({ rule, subject, run }) => [rule, subject, run]);
  return { ...parts, live, firing };
};

t.test('a GPU that falls silent is an alert that names it and its run, until it answers', async (t) => {
  const { store, pipeline, live, firing, time, events } = begin();
  t.teardown(() => store.close());
  pipeline.ingest({ ...LISTED, runs: [run([row(1, T0)])] });
  pipeline.ingest({ processes: [TRAINING] });
  const [id] = store.listRuns({ limit: 1 }).items.map((item) => item.id);
  live(10, 'GPU-a', 'GPU-b');
  t.same(firing(), []);
  // What was lost has no processes any more.
  pipeline.ingest({ processes: [], lives: [{ pid: 42, startedAt: T0 - 1000, state: 'R' }] });
  live(15, 'GPU-b');
  t.same(firing(), [['gpu_lost', 'gpu:0', id]]);
  t.match(
    events.filter(({ topic }) => topic === 'alerts'),
    [{ run: id, data: { gpu: 'gpu:0', state: 'firing' } }],
  );
  live(10, 'GPU-a', 'GPU-b');
  t.same(firing(), []);
  time.now += 1;
  live(10);
  t.same(firing(), [], 'all silent is nobody lost');
});

t.test('an XID is an alert of its GPU once, also when the service starts anew and reads the log again', async (t) => {
  const path = join(t.testdir({}), 'history.db');
  const xids = [{ at: T0, gpu: '0000:62:00', xid: 63, line: 'NVRM: Xid (PCI:0000:62:00): 63' }];
  const before = begin(path);
  // The kernel log may be read before the GPUs are listed.
  before.pipeline.ingest({ xids });
  before.pipeline.judge();
  before.pipeline.ingest(LISTED);
  before.live(2, 'GPU-a', 'GPU-b');
  t.same(before.firing(), [['gpu_xid', 'gpu:1', null]]);
  before.pipeline.flush();
  before.store.close();

  const { store, pipeline, live, firing, events } = begin(path);
  t.teardown(() => store.close());
  pipeline.ingest({ ...LISTED, xids });
  live(5, 'GPU-a', 'GPU-b');
  t.same(firing(), [['gpu_xid', 'gpu:1', null]]);
  t.same(
    events.filter(({ topic }) => topic === 'alerts'),
    [],
    'and it is told once',
  );
});

t.test('another GPU in the place of one that had an alert begins without it', async (t) => {
  const { store, pipeline, live, firing } = begin();
  t.teardown(() => store.close());
  pipeline.ingest({ ...LISTED, driverXids: [{ at: T0, gpu: 'GPU-b', xid: 79, line: 'XID 79' }] });
  live(2, 'GPU-a', 'GPU-b');
  t.same(firing(), [['gpu_xid', 'gpu:1', null]]);
  pipeline.ingest({ gpus: [GPU, { ...OTHER, uuid: 'GPU-c' }] });
  live(2, 'GPU-a', 'GPU-c');
  t.same(firing(), []);
  t.match(
    new Set(store.ruleStates().map(({ subject }) => subject)).has('gpu:1 GPU-b'),
    false,
    'and nothing of it is kept',
  );
});
