import t from 'tap';
import type { EpochRow } from '../../src/core/run.ts';
import { currentRows, mergeRows } from '../../web/src/model/epoch-rows.ts';
import { type History, withoutEmptyBuckets, withSample } from '../../web/src/model/history.ts';
import { groupColumns, mAP, nonFiniteEpochs, trainLoss } from '../../web/src/model/run-metrics.ts';
import { uniqueNames } from '../../web/src/model/unique-names.ts';
import { parseRoute, runPath } from '../../web/src/route.ts';
import { addRows, applyFrame, emptyDashboard } from '../../web/src/state/dashboard.ts';
import { createServerClock } from '../../web/src/state/server-clock.ts';

const row = (attempt: number, epoch: number, loss: number | null = 1): EpochRow => ({
  attempt,
  epoch,
  at: null,
  atSource: null,
  elapsedS: null,
  runElapsedS: null,
  metrics: { 'train/box_loss': loss },
});

t.test('a run is called by the shortest end of its path that no other run shares', async (t) => {
  const paths = ['/a/exp1/train', '/a/exp2/train', '/a/exp2/val', 'C:\\runs\\exp3\\train', '/train'];
  t.same(Object.fromEntries(uniqueNames(paths)), {
    '/a/exp1/train': 'exp1/train',
    '/a/exp2/train': 'exp2/train',
    '/a/exp2/val': 'val',
    'C:\\runs\\exp3\\train': 'exp3/train',
    '/train': '/train',
  });
});

t.test('a chart shows the training as it stands', async (t) => {
  const attempt = (number: number, kind: 'start' | 'resume' | 'rerun') => ({
    attempt: number,
    kind,
    firstEpoch: null,
    lastEpoch: null,
    epochs: 0,
    startedAt: null,
    endedAt: null,
  });
  const rows = [row(1, 1), row(1, 2), row(2, 1, 5), row(2, 2, 6), row(3, 2, 7), row(3, 3, 8)];
  const shown = currentRows(rows, [attempt(1, 'start'), attempt(2, 'rerun'), attempt(3, 'resume')]);
  t.same(
    shown.map(({ epoch, metrics }) => [epoch, metrics['train/box_loss']]),
    [
      [1, 5],
      [2, 7],
      [3, 8],
    ],
    'without what a re-run replaced, and with the later row where a resume trained an epoch again',
  );
  t.same(
    mergeRows([row(1, 1), row(1, 2, 1)], [row(1, 2, 9), row(1, 3)]).map(({ epoch, metrics }) => [
      epoch,
      metrics['train/box_loss'],
    ]),
    [
      [1, 1],
      [2, 9],
      [3, 1],
    ],
    'a newer version of a row takes its place',
  );
});

t.test('training and validation losses share a chart, and so do the learning rates', async (t) => {
  const columns = ['train/box_loss', 'metrics/recall(B)', 'metrics/mAP50(B)', 'metrics/mAP50-95(B)', 'val/box_loss'];
  t.same(groupColumns([...columns, 'lr/pg0', 'lr/pg1', 'speed']), [
    { kind: 'loss', name: 'box_loss', columns: ['train/box_loss', 'val/box_loss'] },
    { kind: 'quality', name: 'mAP (B)', columns: ['metrics/mAP50(B)', 'metrics/mAP50-95(B)'] },
    { kind: 'quality', name: 'precision and recall (B)', columns: ['metrics/recall(B)'] },
    { kind: 'lr', name: '', columns: ['lr/pg0', 'lr/pg1'] },
    { kind: 'other', name: 'speed', columns: ['speed'] },
  ]);
  t.equal(mAP({ 'metrics/mAP50-95(B)': 0.4, 'metrics/mAP50(B)': 0.5 }, '50'), 0.5);
  t.equal(mAP({ 'metrics/accuracy_top1': 0.4 }, '50-95'), null);
});

t.test('a loss that is not a number is a mark, and no sum', async (t) => {
  const bad = { ...row(1, 4, null), nonFinite: { 'train/box_loss': 'nan' as const } };
  t.same(nonFiniteEpochs([row(1, 3), bad], ['train/box_loss']), [{ epoch: 4, column: 'train/box_loss', kind: 'nan' }]);
  t.equal(trainLoss(bad.metrics), null);
  t.equal(trainLoss({ 'train/box_loss': 1, 'train/cls_loss': 2, 'val/box_loss': 4 }), 3);
});

t.test('an answer that was under way never takes back what the stream has said', async (t) => {
  const told = applyFrame(emptyDashboard, {
    op: 'event',
    topic: 'epochs',
    cursor: '1',
    at: 0,
    data: { run: 'r1', ...row(1, 2, 9) },
  });
  const rows = addRows(told, 'r1', [row(1, 1), row(1, 2, 1)]).epochs.get('r1');
  t.same(
    rows?.map(({ epoch, metrics }) => [epoch, metrics['train/box_loss']]),
    [
      [1, 1],
      [2, 9],
    ],
  );
});

/** A history of one metric from the values of its buckets; null is an empty bucket. */
const history = (stepMs: number, values: readonly (number | null)[]): History => ({
  stepMs,
  t: values.map((_, i) => i * stepMs),
  metrics: {
    utilization: { avg: values, min: values, max: values, count: values.map((value) => (value === null ? 0 : 1)) },
  },
});
const lineOf = ({ t, metrics }: History) => t.map((at, i) => [at, metrics.utilization?.avg[i]]);

t.test('a line goes on between samples that are rarer than buckets, and stops where samples are missing', async (t) => {
  t.same(lineOf(withoutEmptyBuckets(history(10, [1, null, 2, null, 3]))), [
    [0, 1],
    [20, 2],
    [40, 3],
  ]);
  const gap = [1, 2, 3, 4, ...Array<null>(9).fill(null), 5, 6];
  t.equal(lineOf(withoutEmptyBuckets(history(10, gap))).filter(([, value]) => value === null).length, 9);
});

t.test('of buckets with many samples each, a single empty one is a gap', async (t) => {
  const avg = [1, 2, null, 4, 5];
  const columns = { avg, min: avg, max: avg, count: [60, 58, 0, 60, 12] };
  const seen = { ...history(60_000, avg), metrics: { utilization: columns } };
  t.same(lineOf(withoutEmptyBuckets(seen))[2], [120_000, null]);
  t.same(
    lineOf(withSample(seen, 400_000, { utilization: 6 }, 0)).slice(-2),
    [
      [300_000, null],
      [360_000, 6],
    ],
    'also of one that goes on live',
  );
});

t.test('live samples go into their bucket, open a new one, and leave a gap after a silence', async (t) => {
  const before = history(10, [1, 2, 3]);
  const inBucket = withSample(before, 25, { utilization: 5 }, 0);
  t.same(inBucket.metrics.utilization, {
    avg: [1, 2, 4],
    min: [1, 2, 3],
    max: [1, 2, 5],
    count: [1, 1, 2],
  });
  t.same(lineOf(withSample(before, 33, { utilization: 5 }, 15)), [
    [20, 3],
    [30, 5],
  ]);
  t.same(lineOf(withSample(before, 200, { utilization: 5 }, 0)).slice(-2), [
    [30, null],
    [200, 5],
  ]);
  t.same(lineOf(withSample(before, 31, { utilization: null }, 0)).at(-1), [30, null], 'unknown is no value');
});

t.test('every page has an address of its own, and a strange one names no page', async (t) => {
  t.same(parseRoute(''), { page: 'runs' });
  t.same(parseRoute(runPath('a/b ü').replace(/#.*/, '')), { page: 'run', id: 'a/b ü' });
  t.same(parseRoute('runs/100%'), { page: 'run', id: '100%' });
  t.same(parseRoute('alerts'), { page: 'alerts' });
  for (const path of ['runs/a/b', 'nothing', 'gpus/0']) t.same(parseRoute(path), { page: 'unknown' });
});

t.test('the time of a demo goes on as fast as the service says, and never back', async (t) => {
  let elapsed = 0;
  const clock = createServerClock(() => elapsed);
  t.equal(clock.now(), null);
  clock.set(1000, { speed: 60 });
  elapsed = 10;
  t.equal(clock.now(), 1600);
  clock.reached(500);
  t.equal(clock.now(), 1600);
  clock.reached(5000);
  t.equal(clock.now(), 5000);
});
