import t from 'tap';
import { NOTHING_SAID } from '../../src/core/output-facts.ts';
import type { EpochRow } from '../../src/core/run.ts';
import { NO_PROGRESS, proceed } from '../../src/core/run-progress.ts';
import { type RunInput, summarizeRun } from '../../src/core/run-summary.ts';

const T0 = 1_757_427_471_000;

const row = (attempt: number, epoch: number, elapsedS: number | null, map: number): EpochRow => ({
  attempt,
  epoch,
  at: elapsedS === null ? null : T0 + elapsedS * 1000,
  atSource: elapsedS === null ? null : 'time',
  elapsedS,
  runElapsedS: elapsedS,
  metrics: { 'metrics/mAP50(B)': map, 'metrics/mAP50-95(B)': map / 2, 'train/box_loss': 1 / epoch },
});

const input = (rows: readonly EpochRow[], args: Record<string, unknown> | null = {}): RunInput => ({
  id: 'r_1',
  host: 'trainer',
  facts: {
    path: '/runs/detect/train',
    folder: { device: 1, inode: 2, bornAt: null },
    args: args === null ? null : { task: 'detect', mode: 'train', model: 'yolo11n.pt', epochs: 10, ...args },
    argsAt: T0,
    results: null,
    resultsPngAt: null,
    activityAt: rows.at(-1)?.at ?? T0,
  },
  progress: rows.reduce(proceed, NO_PROGRESS),
  rowsKeptOut: 0,
  watchedSince: T0,
  lost: null,
  outputs: [],
  process: { status: 'unknown' },
  exit: null,
  kernelKill: null,
  gpus: [],
  pids: [],
  now: (rows.at(-1)?.at ?? T0) + 1000,
});

t.test('pace, remaining time, best and latest epoch come from the rows', async (t) => {
  const run = summarizeRun(input([row(1, 1, 70, 0.2), row(1, 2, 130, 0.6), row(1, 3, 190, 0.5)]));
  t.match(run, {
    name: 'train',
    framework: 'ultralytics',
    model: 'yolo11n.pt',
    state: 'running',
    epochs: 3,
    epochsPlanned: 10,
    epochBase: 1,
    secondsPerEpoch: 60,
    startedAt: T0,
    etaAt: T0 + 190_000 + 7 * 60_000,
    best: { epoch: 2 },
    latest: { epoch: 3 },
    endedAt: null,
  });
});

t.test('a resumed run counts on, a re-run begins anew', async (t) => {
  const resumed = summarizeRun(input([row(1, 1, 60, 0.1), row(1, 2, 120, 0.2), row(2, 3, 50, 0.3)]));
  t.match(resumed, { attempts: 2, epochs: 3 });
  const rerun = summarizeRun(input([row(1, 1, 60, 0.1), row(1, 2, 120, 0.9), row(2, 1, 60, 0.3)]));
  t.match(rerun, { attempts: 2, epochs: 1, best: { epoch: 1 } });
});

t.test(
  'images a second are those of all the training, over its resumes, and unknown without their number',
  async (t) => {
    const rows = [
      row(1, 1, 100, 0.1),
      row(1, 2, 200, 0.2),
      { ...row(2, 3, 60, 0.3), runElapsedS: 260 },
      { ...row(2, 4, 200, 0.3), runElapsedS: 400 },
    ];
    const start = { t: T0, kind: 'start', images: 1000 } as const;
    const sidecar = { source: '/runs/detect/train/signalbox.ndjson', writtenAt: T0, facts: { ...NOTHING_SAID, start } };
    t.equal(summarizeRun({ ...input(rows), outputs: [sidecar] }).imagesPerSecond, 10);
    t.equal(summarizeRun(input(rows)).imagesPerSecond, null);
    const untimed = [row(1, 1, null, 0.1), row(1, 2, null, 0.1)].map((row, i) => ({ ...row, at: T0 + i * 50_000 }));
    t.equal(summarizeRun({ ...input(untimed), outputs: [sidecar] }).imagesPerSecond, 20, 'by the times of its rows');
  },
);

t.test('a 0-based file is finished at epochs - 1', async (t) => {
  const rows = Array.from({ length: 10 }, (_, i) => row(1, i, 60 * (i + 1), 0.1 * i));
  t.match(summarizeRun(input(rows)), { state: 'finished', epochBase: 0, epochs: 10 });
});

t.test('with a time budget the epochs of the args are no target', async (t) => {
  t.match(summarizeRun(input([row(1, 1, 60, 0.1)], { time: 2 })), { epochsPlanned: null, etaAt: null });
});

t.test('what is not known is null: no args, no rows, no time', async (t) => {
  const unknown = input([], null);
  const run = summarizeRun({ ...unknown, facts: { ...unknown.facts, path: '/data/exp' } });
  t.match(run, {
    model: null,
    task: null,
    framework: null,
    epochsPlanned: null,
    best: null,
    latest: null,
    etaAt: null,
  });
  const untimed = summarizeRun(input([row(1, 1, null, 0.1), row(1, 2, null, 0.1)]));
  t.match(untimed, { secondsPerEpoch: null, etaAt: null });
});
