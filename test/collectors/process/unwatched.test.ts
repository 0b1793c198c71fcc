import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { createUnwatchedTrainings } from '../../../src/collectors/process/unwatched.ts';
import type { ObservedProcess } from '../../../src/core/batch.ts';
import { createProcessStage } from './stage.ts';

const SIGNAL = new AbortController().signal;
const AT = 1_757_427_471_000;
const O_RDONLY = '0100000';
const O_APPEND = '0102001';

const open = (t: Test) => {
  const { procfs, put } = createProcessStage(t);
  const home = dirname(procfs);
  let now = AT;
  let strangers: readonly ObservedProcess[] = [];
  const roots = [join(home, 'watched'), join(home, 'link')];
  const collector = createUnwatchedTrainings({ procfs, roots, strangers: () => strangers, now: () => now });
  return {
    home,
    put,
    pass: (ms: number) => {
      now += ms;
    },
    /** A run folder that its trainer wrote to at this moment. */
    addRun: (path: string, at: number, file = 'args.yaml') => {
      const folder = join(home, path);
      mkdirSync(join(folder, 'weights'), { recursive: true });
      writeFileSync(join(folder, file), 'task: detect\n');
      utimesSync(join(folder, file), at / 1000, at / 1000);
    },
    folderOf: async (process: Partial<ObservedProcess>) => {
      strangers = [
        {
          gpuUuid: 'GPU-a',
          pid: 100,
          memory: 1,
          user: 'bob',
          command: 'python train.py',
          cwd: home,
          startedAt: AT - 60_000,
          openFolders: [],
          ...process,
        },
      ];
      const { unwatched = [] } = await collector.collect(SIGNAL);
      return unwatched[0]?.folder.replace(home, '~') ?? null;
    },
  };
};

t.test('a training tells the folder to watch by the run folder that it writes into', async (t) => {
  const { home, put, addRun, folderOf } = open(t);
  addRun('bob/exp/run7', AT, 'results.csv');
  const files = (path: string, flags: string) => [{ path: join(home, path), flags }];
  put({ pid: 100, startedAt: AT, files: files('bob/exp/run7/events.out.tfevents', O_APPEND) });
  t.equal(await folderOf({ command: 'python main.py' }), '~/bob/exp');
  put({ pid: 101, startedAt: AT, files: files('bob/exp/run7/weights/last.pt', O_APPEND) });
  t.equal(await folderOf({ pid: 101, command: 'python main.py' }), '~/bob/exp');
  put({ pid: 102, startedAt: AT, files: files('bob/exp/run7/results.csv', O_RDONLY) });
  t.equal(await folderOf({ pid: 102, command: 'python main.py' }), null, 'who only reads there trains elsewhere');
});

t.test('a command that trains and names its project tells it, as far as it is known from where', async (t) => {
  const { folderOf } = open(t);
  t.equal(await folderOf({ pid: 1, command: 'python yolo train project=/data/exp name=a', cwd: null }), '/data/exp');
  t.equal(await folderOf({ pid: 2, command: 'python train.py --project out/' }), '~/out');
  t.equal(await folderOf({ pid: 3, command: 'python train.py --project out', cwd: null }), null);
});

t.test('a training in its usual place is told by a run that began since it did', async (t) => {
  const { addRun, folderOf } = open(t);
  addRun('runs/detect/train', AT - 3_600_000);
  t.equal(await folderOf({ pid: 1 }), null, 'a run of before is not its own');
  addRun('runs/segment/train2', AT - 30_000);
  t.equal(await folderOf({ pid: 2 }), '~/runs/segment');
});

t.test('who is not a training for certain is not called one', async (t) => {
  const { home, put, addRun, folderOf } = open(t);
  addRun('runs/detect/train', AT);
  put({ pid: 1, startedAt: AT, files: [{ path: join(home, 'notes/a.txt'), flags: O_APPEND }] });
  const commands = ['python main.py', 'Xorg', 'python yolo predict project=/data', 'blender --project /data', null];
  for (const [i, command] of commands.entries()) t.equal(await folderOf({ pid: i + 1, command }), null, command ?? '');
});

t.test('what is watched already is not told, by whatever name it is watched', async (t) => {
  const { home, addRun, folderOf } = open(t);
  mkdirSync(join(home, 'real/deep'), { recursive: true });
  symlinkSync(join(home, 'real'), join(home, 'link'));
  t.equal(await folderOf({ pid: 1, command: 'python train.py --project watched/a' }), null);
  t.equal(await folderOf({ pid: 2, command: `python train.py --project ${home}/real/deep` }), null);
  addRun('watched/p/runs/detect/train', AT);
  t.equal(await folderOf({ pid: 3, cwd: join(home, 'watched/p') }), null);
  t.equal(await folderOf({ pid: 4, command: 'python train.py --project watched2' }), '~/watched2');
});

t.test('a training that has not written yet is asked again, and one that is gone is forgotten', async (t) => {
  const { addRun, folderOf, pass } = open(t);
  t.equal(await folderOf({}), null);
  addRun('runs/detect/train', AT);
  t.equal(await folderOf({}), null, 'not at every look');
  pass(30_000);
  t.equal(await folderOf({}), '~/runs/detect');
  t.equal(await folderOf({ startedAt: AT + 90_000 }), null, 'another process of the same pid');
});

t.test('nothing is looked at while no stranger is on a GPU', async (t) => {
  const stage = createProcessStage(t);
  const collector = createUnwatchedTrainings({ ...stage, roots: [], strangers: () => [], now: () => AT });
  t.same(await collector.collect(SIGNAL), {});
});
