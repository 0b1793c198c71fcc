import t from 'tap';
import type { EpochRow } from '../../src/core/run.ts';
import { observed, rows } from './observed.ts';
import { open, T0 } from './open-store.ts';

const keys = (list: readonly EpochRow[]) => list.map(({ attempt, epoch }) => `${attempt}/${epoch}`);

t.test('a first look stores every row, and a second look that says the same adds nothing', async (t) => {
  const store = open();
  const look = observed({ rows: rows(1, 3) });
  const first = store.observeRun(look, 'trainer', T0);
  t.equal(first.isNew, true);
  t.same(keys(first.rows), ['1/1', '1/2', '1/3']);
  t.match(first.rows[0], {
    at: T0 + 60_000,
    atSource: 'mtime',
    elapsedS: 60,
    runElapsedS: 60,
    metrics: { 'train/box_loss': 0.5, 'metrics/mAP50(B)': null },
  });
  t.same(store.observeRun(look, 'trainer', T0 + 1000), { id: first.id, isNew: false, rows: [] });
  t.same(store.rowsOf(first.id), first.rows);
});

t.test('a row whose values changed is told again and keeps the moment at which it was first seen', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed({ rows: rows(1, 2) }), 'trainer', T0);
  const changed = rows(2, 2, { at: T0 + 999_999, elapsedS: 120, metrics: { 'train/box_loss': 9 } });
  const news = store.observeRun(observed({ rows: changed }), 'trainer', T0);
  t.match(news.rows, [{ epoch: 2, at: T0 + 120_000, metrics: { 'train/box_loss': 9 } }]);
  t.equal(store.rowsOf(id).length, 2);
});

t.test('a row without a moment gets it as soon as one is known with a change of its values', async (t) => {
  const store = open();
  store.observeRun(observed({ rows: rows(1, 1, { at: null, atSource: null }) }), 'trainer', T0);
  const news = store.observeRun(observed({ rows: rows(1, 1, { elapsedS: 61 }) }), 'trainer', T0);
  t.match(news.rows, [{ at: T0 + 60_000, atSource: 'mtime', elapsedS: 61 }]);
});

t.test('of an epoch that stands twice in one look the later row wins and is told once', async (t) => {
  const store = open();
  const twice = [...rows(1, 2), ...rows(1, 1, { metrics: { 'train/box_loss': 7 } })];
  const news = store.observeRun(observed({ rows: twice }), 'trainer', T0);
  t.same(keys(news.rows), ['1/2', '1/1']);
  t.equal(news.rows[1]?.metrics['train/box_loss'], 7);
  t.same(store.observeRun(observed({ rows: twice }), 'trainer', T0).rows, []);
});

t.test('nothing is forgotten when the file shrinks', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed({ rows: rows(1, 5) }), 'trainer', T0);
  store.observeRun(observed({ rows: rows(1, 2) }), 'trainer', T0);
  t.equal(store.rowsOf(id).length, 5);
});

t.test('values that are not finite are stored as unknown, with their kind', async (t) => {
  const store = open();
  const look = observed({
    rows: rows(1, 1, {
      elapsedS: Number.POSITIVE_INFINITY,
      metrics: { 'train/box_loss': Number.NaN },
      nonFinite: { 'train/box_loss': 'nan' },
    }),
  });
  const { id, rows: news } = store.observeRun(look, 'trainer', T0);
  t.match(news, [{ elapsedS: null, runElapsedS: null, metrics: { 'train/box_loss': null } }]);
  t.same(store.rowsOf(id), news);
  t.same(store.rowsOf(id)[0]?.nonFinite, { 'train/box_loss': 'nan' });
  t.same(store.observeRun(look, 'trainer', T0).rows, []);
});

t.test('a resume in the same file opens an attempt and its training time counts on', async (t) => {
  const store = open();
  const look = [...rows(1, 3), ...rows(3, 4, { fileAttempt: 1, fileAttemptKind: 'resume' })];
  const { id, rows: news } = store.observeRun(observed({ rows: look }), 'trainer', T0);
  t.same(keys(news), ['1/1', '1/2', '1/3', '2/3', '2/4']);
  t.equal(news[3]?.elapsedS, 60);
  t.equal(news[3]?.runElapsedS, 240);
  t.match(store.listAttempts(id), [
    { attempt: 1, kind: 'start', firstEpoch: 1, lastEpoch: 3, epochs: 3, startedAt: T0, endedAt: T0 + 180_000 },
    { attempt: 2, kind: 'resume', firstEpoch: 3, lastEpoch: 4, epochs: 2, startedAt: T0 + 120_000, endedAt: null },
  ]);
});

t.test('after a resume that follows a resume the time of all three is added up', async (t) => {
  const store = open();
  store.observeRun(observed({ rows: rows(1, 2) }), 'trainer', T0);
  store.observeRun(observed({ rows: rows(3, 4, { fileAttempt: 1, fileAttemptKind: 'resume' }) }), 'trainer', T0);
  const look = observed({ rows: rows(5, 5, { fileAttempt: 2, fileAttemptKind: 'resume' }) });
  t.equal(store.observeRun(look, 'trainer', T0).rows[0]?.runElapsedS, 120 + 120 + 60);
});

t.test('a re-run in the same file begins its time anew', async (t) => {
  const store = open();
  const look = [...rows(1, 3), ...rows(1, 1, { fileAttempt: 1, fileAttemptKind: 'rerun' })];
  const { id, rows: news } = store.observeRun(observed({ rows: look }), 'trainer', T0);
  t.match(news.at(-1), { attempt: 2, epoch: 1, runElapsedS: 60 });
  t.equal(store.listAttempts(id)[1]?.kind, 'rerun');
});

t.test(
  'a resume whose file was written anew under another inode goes on in the attempts that it repeats',
  async (t) => {
    const store = open();
    const { id } = store.observeRun(observed({ rows: rows(1, 3) }), 'trainer', T0);
    const rewritten = observed({
      results: { inode: 901 },
      rows: [...rows(1, 3), ...rows(4, 4, { fileAttempt: 1, fileAttemptKind: 'resume' })],
    });
    t.same(keys(store.observeRun(rewritten, 'trainer', T0).rows), ['2/4']);
    t.same(store.observeRun(rewritten, 'trainer', T0).rows, []);
    t.equal(store.listAttempts(id).length, 2);
  },
);

t.test('a file of another generation is a re-run, or a resume when it goes on after the last epoch', async (t) => {
  for (const [from, kind] of [
    [1, 'rerun'],
    [4, 'resume'],
  ] as const) {
    const store = open();
    const { id } = store.observeRun(observed({ rows: rows(1, 3) }), 'trainer', T0);
    const next = observed({ results: { generation: 'second', fresh: true }, rows: rows(from, from + 1) });
    t.same(keys(store.observeRun(next, 'trainer', T0).rows), [`2/${from}`, `2/${from + 1}`]);
    t.same(store.observeRun(next, 'trainer', T0).rows, [], 'seen again');
    t.same(
      store.listAttempts(id).map((attempt) => attempt.kind),
      ['start', kind],
    );
  }
});

t.test('a fresh file that begins with the very same row is a new attempt all the same', async (t) => {
  const store = open();
  store.observeRun(observed({ rows: rows(1, 3) }), 'trainer', T0);
  const fresh = observed({ results: { inode: 902, fresh: true }, rows: rows(1, 1) });
  t.same(keys(store.observeRun(fresh, 'trainer', T0).rows), ['2/1']);
});

t.test('a file that YOLOv7 shortened on its resume loses no row and says none twice', async (t) => {
  const store = open();
  const untimed = (from: number, to: number, loss: number) =>
    rows(from, to, { elapsedS: null, metrics: { 'train/box_loss': loss } });
  const { id } = store.observeRun(observed({ rows: untimed(0, 9, 1) }), 'trainer', T0);
  t.same(store.observeRun(observed({ rows: untimed(0, 6, 1) }), 'trainer', T0).rows, [], 'as its checkpoint has it');
  t.same(keys(store.observeRun(observed({ rows: untimed(7, 8, 2) }), 'trainer', T0).rows), ['2/7', '2/8']);
  const whole = [...untimed(0, 6, 1), ...untimed(7, 11, 2)];
  t.same(keys(store.observeRun(observed({ rows: whole }), 'trainer', T0).rows), ['2/9', '2/10', '2/11']);
  t.same(store.observeRun(observed({ rows: whole }), 'trainer', T0).rows, [], 'after a restart of the service');
  t.match(store.listAttempts(id), [
    { kind: 'start', firstEpoch: 0, lastEpoch: 9, epochs: 10 },
    { kind: 'resume', firstEpoch: 7, lastEpoch: 11, epochs: 5 },
  ]);
  const again = [...untimed(0, 3, 1), ...untimed(4, 5, 3)];
  t.same(keys(store.observeRun(observed({ rows: again }), 'trainer', T0).rows), ['3/4', '3/5'], 'from further back');
});

t.test('a shortened file that came under another inode goes on in all the attempts that it was read as', async (t) => {
  const store = open();
  const untimed = (from: number, to: number, loss: number) =>
    rows(from, to, { elapsedS: null, metrics: { 'train/box_loss': loss } });
  store.observeRun(observed({ rows: untimed(0, 4, 1) }), 'trainer', T0);
  const resumed = [...untimed(0, 2, 1), ...untimed(3, 5, 2)];
  store.observeRun(observed({ rows: resumed }), 'trainer', T0);
  const copied = observed({ results: { inode: 901 }, rows: [...resumed, ...untimed(6, 6, 2)] });
  t.same(keys(store.observeRun(copied, 'trainer', T0).rows), ['2/6']);
  t.same(store.observeRun(copied, 'trainer', T0).rows, []);
});

t.test('the newest attempt ends with the run', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed({ rows: rows(1, 2) }), 'trainer', T0);
  t.equal(store.listAttempts(id)[0]?.endedAt, null);
  const run = store.getRun(id);
  if (run) store.saveRun({ ...run, state: 'finished' });
  t.equal(store.listAttempts(id)[0]?.endedAt, T0 + 120_000);
});

t.test('the epochs of a run are listed by attempt and epoch, page by page, within limits', async (t) => {
  const store = open();
  const look = [...rows(0, 4), ...rows(3, 6, { fileAttempt: 1, fileAttemptKind: 'resume' })];
  const { id } = store.observeRun(observed({ rows: look }), 'trainer', T0);
  const first = store.listEpochs(id, { limit: 4 });
  t.same(keys(first.items), ['1/0', '1/1', '1/2', '1/3']);
  const second = store.listEpochs(id, { limit: 5, cursor: first.next ?? '' });
  t.same(keys(second.items), ['1/4', '2/3', '2/4', '2/5', '2/6']);
  t.equal(second.next, null);
  t.same(keys(store.listEpochs(id, { limit: 9, from: 3, to: 4 }).items), ['1/3', '1/4', '2/3', '2/4']);
  t.same(keys(store.listEpochs(id, { limit: 9, attempt: 2, to: 3 }).items), ['2/3']);
  t.throws(() => store.listEpochs('r_other', { limit: 1, cursor: first.next ?? '' }), { name: 'BadCursor' });
});
