import t from 'tap';
import { type RunTimes, runWindows } from '../../src/core/run-windows.ts';

const T0 = Date.UTC(2025, 8, 9, 20);
const MINUTE = 60_000;

/** Minutes after T0. */
const at = (minute: number) => T0 + minute * MINUTE;
const row = (attempt: number, epoch: number, minute: number | null, elapsedMinutes: number | null = null) => ({
  attempt,
  epoch,
  at: minute === null ? null : at(minute),
  elapsedS: elapsedMinutes === null ? null : elapsedMinutes * 60,
});
const phase = (epoch: number, phase: string, minute: number, attempt = 1) => ({
  attempt,
  epoch,
  phase,
  at: at(minute),
});

/** Three epochs of ten minutes, resumed two hours later for two more. */
const TIMES: RunTimes = {
  run: { id: 'r_1', state: 'finished', startedAt: at(-1), endedAt: at(150) },
  attempts: [
    { attempt: 1, startedAt: at(0), endedAt: at(30) },
    { attempt: 2, startedAt: at(130), endedAt: at(150) },
  ],
  rows: [row(1, 1, 10, 10), row(1, 2, 20, 20), row(1, 3, 30, 30), row(2, 4, 140, 10), row(2, 5, 150, 20)],
  phases: [],
  now: at(1000),
};

const ask = (choice: Partial<Parameters<typeof runWindows>[1]>, over: Partial<RunTimes> = {}) => {
  const { windows, absent } = runWindows({ ...TIMES, ...over }, { by: 'run', zone: 'UTC', ...choice });
  const minutes = windows.map(({ key, attempt, ranges }) => [
    attempt === undefined ? key : `${attempt}/${key}`,
    ...ranges.map(({ from, to }) => `${(from - T0) / MINUTE}-${(to - T0) / MINUTE}`),
  ]);
  return { minutes, absent };
};

t.test('a run is its attempts, without the pause between them', async (t) => {
  t.same(ask({ by: 'run' }), { minutes: [['r_1', '0-30', '130-150']], absent: {} });
  t.same(ask({ by: 'attempt' }).minutes, [
    [1, '0-30'],
    [2, '130-150'],
  ]);
});

t.test('the newest attempt of a run that goes on lasts until now', async (t) => {
  const run = { ...TIMES.run, state: 'running', endedAt: null } as const;
  const attempts = TIMES.attempts.map((attempt) => (attempt.attempt === 2 ? { ...attempt, endedAt: null } : attempt));
  t.same(ask({ by: 'attempt' }, { run, attempts, now: at(155) }).minutes.at(-1), [2, '130-155']);
});

t.test('a run that ended before its first epoch has its time all the same', async (t) => {
  t.same(ask({ by: 'run' }, { attempts: [], rows: [] }).minutes, [['r_1', '-1-150']]);
});

t.test('an epoch lasts from the end of the one before, the first from the start of its attempt', async (t) => {
  t.same(ask({ by: 'epoch' }).minutes, [
    ['1/1', '0-10'],
    ['1/2', '10-20'],
    ['1/3', '20-30'],
    ['2/4', '130-140'],
    ['2/5', '140-150'],
  ]);
});

t.test('an epoch whose time is not known is named with the reason, and not guessed', async (t) => {
  const rows = [row(1, 1, 10, 10), row(1, 2, null), row(1, 3, 30), row(2, 4, 140), row(2, 7, 150)];
  const { minutes, absent } = ask({ by: 'epoch' }, { rows });
  t.same(minutes, [
    ['1/1', '0-10'],
    ['2/4', '130-140'],
  ]);
  t.same(absent, {
    'epoch 2 of attempt 1': 'when its row was written is not known',
    'epoch 3 of attempt 1': 'when the epoch before it ended is not known',
    'epoch 7 of attempt 2': 'when the epoch before it ended is not known',
  });
});

const PHASES = [
  phase(1, 'train', 1),
  phase(1, 'val', 8),
  phase(2, 'train', 11),
  phase(2, 'val', 18),
  phase(3, 'train', 20.5),
  phase(4, 'train', 131, 2),
];

t.test('a phase lasts until the next one begins, or to the row of its epoch, and not over a pause', async (t) => {
  t.same(ask({ by: 'phase' }, { phases: PHASES }).minutes, [
    ['train', '1-8', '11-18', '20.5-30', '131-140'],
    ['val', '8-10', '18-20'],
  ]);
});

t.test('a run that said nothing of its phases has none, and it is said what would tell them', async (t) => {
  const { minutes, absent } = ask({ by: 'phase' });
  t.same(minutes, []);
  t.match(absent.phase, /sidecar/);
  t.same(ask({ by: 'run', phase: 'train' }).minutes, []);
});

t.test('some epochs and one phase of them cut every window', async (t) => {
  const epochs = { first: 2, last: 4 };
  t.same(ask({ by: 'run', epochs, phase: 'train' }, { phases: PHASES }).minutes, [
    ['r_1', '11-18', '20.5-30', '131-140'],
  ]);
  t.same(ask({ by: 'phase', epochs }, { phases: PHASES }).minutes, [
    ['train', '11-18', '20.5-30', '131-140'],
    ['val', '18-20'],
  ]);
  t.same(ask({ by: 'epoch', epochs: { first: 2, last: 2 } }).minutes, [['1/2', '10-20']]);
  t.same(ask({ by: 'attempt', epochs: { first: 5, last: 9 } }).minutes, [[2, '140-150']]);
});

t.test('days are those of the time zone, also when its clock is changed', async (t) => {
  const run = {
    id: 'r_2',
    state: 'finished',
    startedAt: Date.UTC(2025, 9, 25, 20),
    endedAt: Date.UTC(2025, 9, 27, 1),
  } as const;
  const times = { run, attempts: [], rows: [], phases: [], now: run.endedAt };
  const days = (zone: string) =>
    runWindows(times, { by: 'day', zone }).windows.map(({ key, ranges }) => [
      key,
      ...ranges.map(({ from, to }) => (to - from) / 3_600_000),
    ]);
  t.same(days('UTC'), [
    ['2025-10-25', 4],
    ['2025-10-26', 24],
    ['2025-10-27', 1],
  ]);
  t.same(days('Europe/Berlin'), [
    ['2025-10-25', 2],
    ['2025-10-26', 25],
    ['2025-10-27', 2],
  ]);
});

t.test('an attempt that was never begun by anything known is left out by name', async (t) => {
  const attempts = [
    { attempt: 1, startedAt: at(0), endedAt: at(30) },
    { attempt: 2, startedAt: null, endedAt: at(150) },
  ];
  const { minutes, absent } = ask({ by: 'attempt' }, { attempts });
  t.same(minutes, [[1, '0-30']]);
  t.same(absent, { 'attempt 2': 'when it began and ended is not known' });
});
