import t from 'tap';
import type { Run } from '../../src/core/run.ts';
import { observed, rows } from './observed.ts';
import { open, T0 } from './open-store.ts';

t.test('a run that was only just seen is there, starting, named like its folder', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed({ path: '/runs/detect/train7' }), 'trainer', T0);
  t.match(id, /^r_[0-9a-z]{8}$/);
  t.match(store.getRun(id), { id, name: 'train7', path: '/runs/detect/train7', host: 'trainer', state: 'starting' });
  t.equal(store.getRun('r_nothing'), undefined);
});

t.test('a renamed folder is the same run at its new path', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed({ rows: rows(1, 2) }), 'trainer', T0);
  const news = store.observeRun(observed({ path: '/runs/baseline', rows: rows(1, 3) }), 'trainer', T0);
  t.match(news, { id, isNew: false, rows: [{ epoch: 3 }] });
  t.match(store.getRun(id), { path: '/runs/baseline', name: 'baseline' });
  t.equal(store.listRuns({ limit: 10 }).items.length, 1);
});

t.test('a new folder at an old path is a new run, and the old one keeps its rows', async (t) => {
  const store = open();
  const old = store.observeRun(observed({ rows: rows(1, 3) }), 'trainer', T0);
  const next = store.observeRun(observed({ folder: { inode: 101 }, rows: rows(1, 1) }), 'trainer', T0);
  t.equal(next.isNew, true);
  t.not(next.id, old.id);
  t.equal(store.rowsOf(old.id).length, 3);
  t.equal(store.observeRun(observed({ folder: { inode: 101 } }), 'trainer', T0).id, next.id);
});

t.test('an inode that the file system gave to a younger folder does not make it the old run', async (t) => {
  const store = open();
  const old = store.observeRun(observed(), 'trainer', T0);
  t.not(store.observeRun(observed({ folder: { bornAt: T0 + 1 } }), 'trainer', T0).id, old.id);
});

t.test('a device number that changed with a reboot does not double the runs', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed(), 'trainer', T0);
  t.equal(store.observeRun(observed({ folder: { device: 2 } }), 'trainer', T0).id, id);
  t.equal(store.observeRun(observed({ folder: { device: 3, bornAt: null } }), 'trainer', T0).id, id);
});

t.test('the same inode on another device or host is another run', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed(), 'trainer', T0);
  t.not(store.observeRun(observed({ path: '/mnt/train', folder: { device: 2 } }), 'trainer', T0).id, id);
  t.not(store.observeRun(observed(), 'other', T0).id, id);
});

/** A store with one derived run a minute, the newest last, and one that has no start yet. */
const storeWithRuns = (count: number) => {
  const store = open();
  const add = (n: number, change: Partial<Run> = {}) => {
    const { id } = store.observeRun(observed({ path: `/runs/train${n}`, folder: { inode: n } }), 'trainer', T0);
    const run = store.getRun(id);
    if (run) store.saveRun({ ...run, startedAt: T0 + n * 60_000, ...change });
    return id;
  };
  for (let n = 1; n <= count; n++) add(n, { state: n % 2 ? 'running' : 'finished', model: `yolo11${n}.pt` });
  add(count + 1, { startedAt: null });
  return { store, add };
};

t.test('runs come newest first, those without a start last', async (t) => {
  const { store } = storeWithRuns(3);
  t.same(
    store.listRuns({ limit: 10 }).items.map((run) => run.name),
    ['train3', 'train2', 'train1', 'train4'],
  );
});

t.test('pages of runs stay put while new runs come in', async (t) => {
  const { store, add } = storeWithRuns(5);
  const first = store.listRuns({ limit: 2 });
  add(9);
  const second = store.listRuns({ limit: 2, cursor: first.next ?? '' });
  add(10);
  const third = store.listRuns({ limit: 2, cursor: second.next ?? '' });
  t.same(
    [...first.items, ...second.items, ...third.items].map((run) => run.name),
    ['train5', 'train4', 'train3', 'train2', 'train1', 'train6'],
  );
  t.equal(third.next, null);
});

t.test('runs that start at the same moment are all listed once across pages', async (t) => {
  const { store, add } = storeWithRuns(0);
  for (let n = 2; n <= 8; n++) add(n, { startedAt: T0 });
  const seen: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = store.listRuns({ limit: 3, cursor });
    seen.push(...page.items.map((run) => run.id));
    cursor = page.next;
  }
  t.equal(new Set(seen).size, 8);
  t.equal(seen.length, 8);
});

t.test('runs are found by state and by a piece of their name, path or model', async (t) => {
  const { store, add } = storeWithRuns(4);
  const names = (query: { text?: string; states?: Run['state'][] }) =>
    store.listRuns({ limit: 10, ...query }).items.map((run) => run.name);
  t.same(names({ states: ['finished'] }), ['train4', 'train2']);
  t.same(names({ states: ['finished', 'starting'] }), ['train4', 'train2', 'train5']);
  t.same(names({ text: 'YOLO113' }), ['train3']);
  t.same(names({ text: '/runs/train1' }), ['train1']);
  add(50, { model: '100%_done' });
  t.same(names({ text: '0%_d' }), ['train50'], 'the signs of LIKE stand for themselves');
  t.same(names({ text: '_rain' }), []);
  t.same(names({ text: 'train', states: ['running'] }), ['train3', 'train1']);
});

t.test('saving a run says whether anything changed', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed(), 'trainer', T0);
  const run = store.getRun(id);
  if (!run) return t.fail('the run is not there');
  t.equal(store.saveRun(run), true, 'the first time it is news');
  t.equal(store.saveRun(run), false);
  const { state, ...others } = { ...run, state: 'running' } as const;
  t.equal(store.saveRun({ ...others, state }), true);
  t.equal(store.saveRun({ ...others, state, tags: ['x'] }), false, 'tags are not its to save');
  t.match(store.getRun(id), { state: 'running', tags: [], notes: '' });
});

t.test('a moved run is news when it is derived again', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed(), 'trainer', T0);
  const before = store.getRun(id);
  if (before) store.saveRun(before);
  store.observeRun(observed({ path: '/runs/moved' }), 'trainer', T0);
  const after = store.getRun(id);
  t.equal(after && store.saveRun(after), true);
});

t.test('a page cursor that is none, or of another list, is refused', async (t) => {
  const { store } = storeWithRuns(3);
  const { next } = store.listRuns({ limit: 1 });
  t.throws(() => store.listAlerts({ limit: 1, cursor: next ?? '' }), { name: 'BadCursor' });
  for (const cursor of ['', 'nonsense', 'bnVsbA', Buffer.from('["runs","x","y"]').toString('base64url')]) {
    t.throws(() => store.listRuns({ limit: 1, cursor }), { name: 'BadCursor' }, cursor);
  }
});
