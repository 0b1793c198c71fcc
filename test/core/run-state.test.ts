import t from 'tap';
import type { EpochRow } from '../../src/core/run.ts';
import { NO_PROGRESS, proceed } from '../../src/core/run-progress.ts';
import { judgeState, type StateFacts } from '../../src/core/run-state.ts';

const T0 = 1_757_427_471_000;
const MINUTE = 60_000;

const rowsOf = (maps: readonly number[], secondsPerEpoch = 60): EpochRow[] =>
  maps.map((map, i) => ({
    attempt: 1,
    epoch: i + 1,
    at: T0 + (i + 1) * secondsPerEpoch * 1000,
    atSource: 'mtime',
    elapsedS: (i + 1) * secondsPerEpoch,
    runElapsedS: (i + 1) * secondsPerEpoch,
    metrics: { 'metrics/mAP50(B)': map, 'metrics/mAP50-95(B)': map },
  }));

const facts = ({
  rows = rowsOf([0.1, 0.2, 0.3]),
  ...over
}: Partial<StateFacts> & { rows?: EpochRow[] }): StateFacts => {
  const lastAt = rows.at(-1)?.at ?? T0;
  return {
    progress: rows.reduce(proceed, NO_PROGRESS),
    epochsDone: rows.length,
    epochsPlanned: 100,
    args: { epochs: 100, patience: 50 },
    activityAt: lastAt,
    resultsPngAt: null,
    secondsPerEpoch: rows.length > 1 ? 60 : null,
    watchedSince: T0,
    lost: null,
    processes: 'unknown',
    now: lastAt + 5000,
    ...over,
  };
};

t.test('a run whose last row is the last planned epoch has finished', async (t) => {
  const verdict = judgeState(facts({ epochsPlanned: 3 }));
  t.match(verdict, { state: 'finished', reason: 'all_epochs_done' });
  t.match(verdict.evidence[0], /epoch 3 of 3/);
});

t.test('a run that stopped at best + patience stopped early, and one row earlier it had not', async (t) => {
  const rows = rowsOf([0.1, 0.5, 0.4, 0.4, 0.4]);
  t.match(judgeState(facts({ rows, args: { patience: 3 } })), { state: 'early_stopped', reason: 'patience' });
  t.match(judgeState(facts({ rows: rows.slice(0, 4), args: { patience: 3 } })), { state: 'running' });
});

t.test('a run that never had a fitness above zero is not taken for stopped early', async (t) => {
  t.match(judgeState(facts({ rows: rowsOf([0, 0, 0, 0, 0, 0]), args: { patience: 2 } })), { state: 'running' });
});

t.test('a run with a time budget finishes when it is used up, whatever epochs says', async (t) => {
  const verdict = judgeState(facts({ epochsPlanned: null, args: { time: 0.05, epochs: 7 } }));
  t.match(verdict, { state: 'finished', reason: 'time_budget' });
});

t.test('results.png after the last row means that the trainer came to its end', async (t) => {
  const rows = rowsOf([0.1, 0.2]);
  const verdict = judgeState(facts({ rows, resultsPngAt: (rows.at(-1)?.at ?? 0) + 1000 }));
  t.match(verdict, { state: 'finished', reason: 'final_plots_written' });
});

t.test('silence beyond three median epochs is a stall, much longer silence an end', async (t) => {
  const base = facts({});
  t.match(judgeState({ ...base, now: base.activityAt + 3 * MINUTE }), { state: 'running' });
  t.match(judgeState({ ...base, now: base.activityAt + 3 * MINUTE + 1000 }), { state: 'stalled' });
  t.match(judgeState({ ...base, now: base.activityAt + 13 * MINUTE }), { state: 'stopped', reason: 'no_new_epoch' });
});

t.test('a run with a live process may stall but never stops or fails', async (t) => {
  const base = facts({ processes: 'alive' });
  t.match(judgeState({ ...base, now: base.activityAt + 600 * MINUTE }), { state: 'stalled' });
  const first = facts({ rows: [], processes: 'alive' });
  t.match(judgeState({ ...first, now: T0 + 600 * MINUTE }), { state: 'stalled' });
});

t.test('a run whose process left the GPU has stopped at once, or failed if it never wrote an epoch', async (t) => {
  t.match(judgeState(facts({ processes: 'gone' })), { state: 'stopped', reason: 'process_gone' });
  t.match(judgeState(facts({ rows: [], processes: 'gone' })), { state: 'failed', reason: 'process_gone' });
});

t.test('an old run that is silent at first sight has stopped, not stalled', async (t) => {
  const base = facts({ watchedSince: null });
  t.match(judgeState({ ...base, now: base.activityAt + 5 * MINUTE }), { state: 'stopped' });
});

t.test('time in which the service was down is not called a stall', async (t) => {
  const base = facts({});
  const restartedAt = base.activityAt + 500 * MINUTE;
  t.match(judgeState({ ...base, watchedSince: restartedAt, now: restartedAt + MINUTE }), { state: 'running' });
});

t.test('a run without a row is starting for a while, then failed', async (t) => {
  const base = facts({ rows: [], watchedSince: null });
  t.match(judgeState({ ...base, now: T0 + 10 * MINUTE }), { state: 'starting', reason: null });
  t.match(judgeState({ ...base, now: T0 + 31 * MINUTE }), { state: 'failed', reason: 'no_epoch_completed' });
});
