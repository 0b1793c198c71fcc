import t from 'tap';
import { NOTHING_SAID } from '../../src/core/output-facts.ts';
import { judgeState } from '../../src/core/run-state.ts';
import { factsOf, MINUTE, rowsOf, T0 } from './state-facts.ts';

t.test('a run whose last row is the last planned epoch has finished', async (t) => {
  const verdict = judgeState(factsOf({ epochsPlanned: 3 }));
  t.match(verdict, { state: 'finished', reason: 'all_epochs_done' });
  t.match(verdict.evidence[0], /epoch 3 of 3/);
});

t.test('a run that stopped at best + patience stopped early, and one row earlier it had not', async (t) => {
  const rows = rowsOf([0.1, 0.5, 0.4, 0.4, 0.4]);
  t.match(judgeState(factsOf({ rows, args: { patience: 3 } })), { state: 'early_stopped', reason: 'patience' });
  t.match(judgeState(factsOf({ rows: rows.slice(0, 4), args: { patience: 3 } })), { state: 'running' });
});

t.test('a run that never had a fitness above zero is not taken for stopped early', async (t) => {
  t.match(judgeState(factsOf({ rows: rowsOf([0, 0, 0, 0, 0, 0]), args: { patience: 2 } })), { state: 'running' });
});

t.test('a run with a time budget finishes when it is used up, whatever epochs says', async (t) => {
  const verdict = judgeState(factsOf({ epochsPlanned: null, args: { time: 0.05, epochs: 7 } }));
  t.match(verdict, { state: 'finished', reason: 'time_budget' });
});

t.test('results.png after the last row means that the trainer came to its end', async (t) => {
  const facts = factsOf({ rows: rowsOf([0.1, 0.2]) });
  const resultsPngAt = facts.activityAt + 1000;
  t.match(judgeState({ ...facts, resultsPngAt }), { state: 'finished', reason: 'final_plots_written' });
  const resumed = { ...facts, resultsPngAt, argsAt: resultsPngAt + 10 * MINUTE, now: resultsPngAt + 11 * MINUTE };
  t.match(judgeState(resumed), { state: 'starting' }, 'but not of the process that was started after it');
});

t.test('silence beyond three median epochs is a stall, much longer silence an end', async (t) => {
  const base = factsOf();
  t.match(judgeState({ ...base, now: base.activityAt + 3 * MINUTE }), { state: 'running', reason: null });
  const stall = judgeState({ ...base, now: base.activityAt + 3 * MINUTE + 1000 });
  t.match(stall, { state: 'stalled', reason: 'no_new_epoch' });
  t.match(stall.evidence[0], /epochs up to 3; the last sign of life was at 2025-.*Z; expected within 3 min/);
  const end = judgeState({ ...base, now: base.activityAt + 13 * MINUTE });
  t.match(end, { state: 'stopped', reason: 'no_new_epoch' });
  t.match(end.evidence[0], /3 of 100 epochs done/);
});

t.test('a log or a sidecar that goes on is a sign of life where epochs are long', async (t) => {
  const now = T0 + 30 * MINUTE;
  const facts = { ...NOTHING_SAID, saidAt: now - 10_000 };
  const outputs = [{ source: 'signalbox.ndjson', writtenAt: null, facts }];
  t.match(judgeState(factsOf({ now, outputs })), { state: 'running' });
  const shared = [{ source: 'all.log', writtenAt: now, facts: { ...NOTHING_SAID, saidAt: T0 } }];
  t.match(judgeState(factsOf({ now, outputs: shared })), { state: 'stopped' }, 'but not the lines of another run');
});

t.test('an old run that is silent at first sight has stopped, not stalled', async (t) => {
  const base = factsOf({ watchedSince: null });
  t.match(judgeState({ ...base, now: base.activityAt + 5 * MINUTE }), { state: 'stopped' });
});

t.test('time in which the service was down or the machine slept is not called a stall', async (t) => {
  const base = factsOf();
  const restartedAt = base.activityAt + 500 * MINUTE;
  t.match(judgeState({ ...base, watchedSince: restartedAt, now: restartedAt + MINUTE }), { state: 'running' });
});

t.test('a run without a row is starting for a while, then failed', async (t) => {
  const base = factsOf({ rows: [], watchedSince: null });
  t.match(judgeState({ ...base, now: T0 + 10 * MINUTE }), { state: 'starting', reason: null });
  t.match(judgeState({ ...base, now: T0 + 31 * MINUTE }), { state: 'failed', reason: 'no_epoch_completed' });
});

t.test('a resumed run has the time of a first epoch until its next row, then it has stopped again', async (t) => {
  const argsAt = T0 + 600 * MINUTE;
  const resumed = factsOf({ argsAt, activityAt: argsAt, watchedSince: null });
  t.match(judgeState({ ...resumed, now: argsAt + 20 * MINUTE }), { state: 'starting' });
  t.match(judgeState({ ...resumed, now: argsAt + 31 * MINUTE }), { state: 'stopped', reason: 'no_new_epoch' });
});

t.test('a run that says it began again is judged by its new process, whatever the old rows show', async (t) => {
  const startAt = T0 + 90 * MINUTE;
  const start = { t: startAt, kind: 'start' } as const;
  const outputs = [
    { source: 'signalbox.ndjson', writtenAt: startAt, facts: { ...NOTHING_SAID, starts: 2, start, saidAt: startAt } },
  ];
  const again = factsOf({ epochsPlanned: 3, outputs, now: startAt + MINUTE });
  t.match(judgeState(again), { state: 'starting' });
  t.match(judgeState({ ...again, outputs: [] }), { state: 'finished' });
});

t.test('a run whose folder is gone or replaced has ended, as failed when it never wrote an epoch', async (t) => {
  t.match(judgeState(factsOf({ lost: 'folder_gone' })), { state: 'stopped', reason: 'folder_gone' });
  t.match(judgeState(factsOf({ rows: [], lost: 'folder_replaced' })), { state: 'failed', reason: 'folder_replaced' });
});
