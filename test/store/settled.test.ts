import { join } from 'node:path';
import t from 'tap';
import type { Store } from '../../src/core/ports.ts';
import type { RunState } from '../../src/core/run.ts';
import { observed } from './observed.ts';
import { open, T0 } from './open-store.ts';

const addRun = (store: Store, path: string, folder: { device: number; inode: number; bornAt?: number }): string =>
  store.observeRun(observed({ path, folder }), 'trainer', T0).id;

const save = (store: Store, id: string, state: RunState) => {
  const run = store.getRun(id);
  if (run) store.saveRun({ ...run, state });
};

t.test('how the files of an old run looked is known after a restart, until the run goes on', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const before = open(path);
  const [a, b] = [
    addRun(before, '/runs/a', { device: 1, inode: 7 }),
    addRun(before, '/runs/b', { device: 2, inode: 7 }),
  ];
  for (const id of [a, b]) save(before, id, 'finished');
  before.settle(a, 'results.csv 100');
  before.settle(b, 'results.csv 200');
  before.close();

  const store = open(path);
  t.strictSame(
    store.settledFiles(),
    new Map([
      ['1:7', { path: '/runs/a', files: 'results.csv 100' }],
      ['2:7', { path: '/runs/b', files: 'results.csv 200' }],
    ]),
  );
  save(store, a, 'stopped');
  t.equal(store.settledFiles().size, 2, 'another way to have ended changes nothing');
  save(store, a, 'running');
  t.strictSame([...store.settledFiles().keys()], ['2:7']);
  store.close();
});

t.test('a run that moved is settled at its new path', async (t) => {
  const store = open();
  const id = addRun(store, '/runs/a', { device: 1, inode: 7 });
  save(store, id, 'failed');
  store.settle(id, 'files');
  addRun(store, '/archive/a', { device: 1, inode: 7 });
  t.strictSame([...store.settledFiles().values()], [{ path: '/archive/a', files: 'files' }]);
});

t.test('of two runs whose folders had the same inode in turn, the younger is the one settled', async (t) => {
  const store = open();
  for (const bornAt of [T0, T0 + 1]) {
    const id = addRun(store, '/runs/a', { device: 1, inode: 7, bornAt });
    save(store, id, 'finished');
    store.settle(id, `born ${bornAt}`);
  }
  t.match([...store.settledFiles().values()], [{ files: `born ${T0 + 1}` }]);
});

t.test('runs are counted by state, those without any as well', async (t) => {
  const store = open();
  for (const [inode, state] of (['finished', 'finished', 'running'] as const).entries()) {
    save(store, addRun(store, `/runs/${inode}`, { device: 1, inode }), state);
  }
  t.strictSame(store.countRuns(), {
    starting: 0,
    running: 1,
    stalled: 0,
    finished: 2,
    early_stopped: 0,
    stopped: 0,
    failed: 0,
  });
});
