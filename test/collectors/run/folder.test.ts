import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createRunFolderCollector } from '../../../src/collectors/run/folder.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { txtRow } from '../../fixtures/results/lines.ts';

const HEADER = 'epoch,time,train/box_loss\n';

/** A run folder and a collector that looks at it. */
const stage = (t: Test, files: Record<string, string | Record<string, string>>) => {
  const path = join(t.testdir({ exp: files }), 'exp');
  const warnings: string[] = [];
  const collector = createRunFolderCollector(path, {
    clock: systemClock,
    log: { info: () => {}, warn: (_facts, message) => warnings.push(message), error: () => {} },
  });
  const look = async (...hints: string[]) => {
    const names = hints.map((name) => join(path, name));
    const batch = await collector.collect(AbortSignal.timeout(10_000), names.length > 0 ? names : undefined);
    return batch.runs?.[0];
  };
  return { path, look, collector, warnings };
};

t.test('the first look says all there is of a run folder', async (t) => {
  const { path, look, collector } = stage(t, {
    'args.yaml': 'task: detect\nepochs: 100\n',
    'results.csv': `${HEADER}1,10,0.5\n2,20,0.4\n`,
    'results.png': '',
    weights: { 'last.pt': '' },
  });
  utimesSync(join(path, 'weights/last.pt'), 2_000_000_000, 2_000_000_000);
  utimesSync(join(path, 'results.png'), 1_700_000_000, 1_700_000_000);
  const run = await look();
  const { ino, dev } = statSync(path);
  t.match(run, {
    path,
    folder: { device: dev, inode: ino },
    args: { task: 'detect', epochs: 100 },
    argsAt: Math.floor(statSync(join(path, 'args.yaml')).mtimeMs),
    resultsPngAt: 1_700_000_000_000,
    activityAt: 2_000_000_000_000,
    results: { fresh: false, rowsKeptOut: 0 },
  });
  t.same(
    run?.rows.map(({ epoch, metrics }) => [epoch, metrics['train/box_loss']]),
    [
      [1, 0.5],
      [2, 0.4],
    ],
  );
  t.equal(collector.name, `run ${path}`);
});

t.test('a run before its first epoch has arguments and no results', async (t) => {
  const { look } = stage(t, { 'opt.yaml': 'weights: yolov5s.pt\n' });
  t.match(await look(), { args: { weights: 'yolov5s.pt' }, results: null, rows: [], resultsPngAt: null });
});

t.test('a run of YOLOv7 has the rows of results.txt and the hyperparameters of hyp.yaml', async (t) => {
  const row = (epoch: number) => `${txtRow(epoch, 29, [0.1, 0.2, 0.3])}\n`;
  const { path, look } = stage(t, {
    'opt.yaml': 'weights: yolov7.pt\nhyp: data/hyp.yaml\n',
    'hyp.yaml': 'lr0: 0.01\n',
    'results.txt': row(0),
  });
  const run = await look();
  t.match(run, {
    args: { weights: 'yolov7.pt', hyp: 'data/hyp.yaml', lr0: 0.01 },
    results: { epochsPlanned: 30, rowsKeptOut: 0 },
    rows: [{ epoch: 0, metrics: { 'train/box_loss': 0.1 } }],
  });
  appendFileSync(join(path, 'results.txt'), row(1));
  t.match(await look('results.txt'), { rows: [{ epoch: 1 }] });
  writeFileSync(join(path, 'hyp.yaml'), 'lr0: 0.002\n');
  t.match(await look('hyp.yaml'), { args: { lr0: 0.002 }, rows: { length: 0 } });
});

t.test('of a results.csv and a results.txt the csv counts, also while a re-run has taken it away', async (t) => {
  const { path, look } = stage(t, {
    'results.csv': `${HEADER}1,10,0.5\n`,
    'results.txt': `${txtRow(7, 9, [0.1, 0.2, 0.3])}\n`,
  });
  t.match(await look(), { rows: [{ epoch: 1 }] });
  rmSync(join(path, 'results.csv'));
  t.match(await look(), { results: null, rows: { length: 0 } });
  writeFileSync(join(path, 'results.csv'), `${HEADER}1,12,0.5\n`);
  t.match(await look('results.csv'), { results: { fresh: true }, rows: [{ epoch: 1, elapsedS: 12 }] });
});

t.test('a csv that comes beside a results.txt takes its place', async (t) => {
  const { path, look } = stage(t, { 'results.txt': `${txtRow(7, 9, [0.1, 0.2, 0.3])}\n` });
  t.match(await look(), { rows: [{ epoch: 7 }] });
  writeFileSync(join(path, 'results.csv'), `${HEADER}1,10,0.5\n`);
  t.match(await look('results.csv'), { rows: [{ epoch: 1 }] });
});

t.test('a hint of the result file gives the new rows and keeps what was known', async (t) => {
  const { path, look } = stage(t, { 'args.yaml': 'epochs: 3\n', 'results.csv': `${HEADER}1,10,0.5\n` });
  await look();
  appendFileSync(join(path, 'results.csv'), '2,20,0.4\n');
  const run = await look('results.csv');
  t.match(run, { args: { epochs: 3 }, results: {} });
  t.same(
    run?.rows.map(({ epoch }) => epoch),
    [2],
  );
  t.equal(run?.activityAt, run?.results?.mtimeAt);
});

t.test('a hint of the log says nothing, the next poll sees that the training is at work', async (t) => {
  const { path, look } = stage(t, { 'args.yaml': 'epochs: 3\n' });
  const before = await look();
  writeFileSync(join(path, 'train.log'), 'Starting training for 3 epochs...\n');
  utimesSync(join(path, 'train.log'), 2_000_000_000, 2_000_000_000);
  t.equal(await look('train.log'), undefined);
  t.not(before?.activityAt, 2_000_000_000_000);
  t.equal((await look())?.activityAt, 2_000_000_000_000);
});

t.test('arguments that a resume rewrites are read again', async (t) => {
  const { path, look } = stage(t, { 'args.yaml': 'epochs: 3\n' });
  t.same((await look())?.args, { epochs: 3 });
  writeFileSync(join(path, 'args.yaml'), 'epochs: 3\nresume: runs/exp/weights/last.pt\n');
  t.same((await look('args.yaml'))?.args, { epochs: 3, resume: 'runs/exp/weights/last.pt' });
});

t.test('a broken args file costs the run its arguments and is said once', async (t) => {
  const { look, warnings } = stage(t, { 'args.yaml': 'a: [1\nb: }', 'results.csv': `${HEADER}1,10,0.5\n` });
  t.match(await look(), { args: null, rows: { length: 1 } });
  t.equal(await look(), undefined);
  t.equal(warnings.length, 1);
});

t.test('a folder that is as it was says nothing, until it is asked to start over', async (t) => {
  const { look, collector } = stage(t, { 'results.csv': `${HEADER}1,10,0.5\n` });
  t.equal((await look())?.rows.length, 1);
  t.equal(await look(), undefined);
  collector.startOver?.();
  t.equal((await look())?.rows.length, 1);
});

t.test('rows that are kept out are counted, and said once for a file', async (t) => {
  const { path, look, warnings } = stage(t, { 'results.csv': `${HEADER}1,10,0.5\n2,20\n` });
  t.equal((await look())?.results?.rowsKeptOut, 1);
  appendFileSync(join(path, 'results.csv'), '3\n');
  t.equal((await look())?.results?.rowsKeptOut, 2);
  t.equal(warnings.length, 1);
});

t.test('a pipe, a device or a folder that is called like a file of a run counts as not there', async (t) => {
  const make: Record<string, (path: string) => void> = {
    pipe: (path) => execFileSync('mkfifo', [path]),
    device: (path) => symlinkSync('/dev/zero', path),
    folder: (path) => mkdirSync(path),
  };
  for (const [kind, makeAt] of Object.entries(make)) {
    const begun = stage(t, { 'args.yaml': 'epochs: 3\n' });
    makeAt(join(begun.path, 'results.csv'));
    t.match(await begun.look(), { args: { epochs: 3 }, results: null, rows: [] }, `a ${kind} for results`);
    t.equal(await begun.look('results.csv'), undefined);

    const ended = stage(t, { 'results.csv': `${HEADER}1,10,0.5\n` });
    makeAt(join(ended.path, 'args.yaml'));
    t.match(await ended.look(), { args: null, argsAt: null, rows: { length: 1 } }, `a ${kind} for arguments`);
  }
});

t.test('a folder that is gone says nothing, another one in its place is another run', async (t) => {
  const { path, look } = stage(t, { 'results.csv': `${HEADER}1,10,0.5\n` });
  const before = await look();
  renameSync(path, `${path}.old`);
  t.equal(await look(), undefined);
  mkdirSync(path);
  writeFileSync(join(path, 'results.csv'), `${HEADER}1,11,0.5\n`);
  const run = await look();
  t.not(run?.folder.inode, before?.folder.inode);
  t.equal(run?.results?.fresh, false, 'its first file is no re-run of the other one');
  rmSync(path, { recursive: true });
  t.equal(await look(), undefined);
});
