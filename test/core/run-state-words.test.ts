import t from 'tap';
import { NOTHING_SAID } from '../../src/core/output-facts.ts';
import { judgeState } from '../../src/core/run-state.ts';
import { factsOf, logThatEnds, MINUTE, rowsOf, T0 } from './state-facts.ts';

const OOM = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.56 GiB.';
const oomAt = (at: number) => logThatEnds({ reason: 'cuda_out_of_memory', lines: [OOM] }, at);

t.test('a failure in the log is the reason, and its line the evidence, with the name of the log', async (t) => {
  const verdict = judgeState(factsOf({ rows: [], outputs: [oomAt(T0 + MINUTE)], now: T0 + MINUTE }));
  t.same(verdict, { state: 'failed', reason: 'cuda_out_of_memory', evidence: [`train.log: ${OOM}`] });
});

t.test('each end that a run can tell of gives its state', async (t) => {
  for (const [state, reason] of [
    ['finished', 'said_finished'],
    ['early_stopped', 'patience'],
    ['stopped', 'interrupted'],
    ['failed', 'nan_loss'],
  ] as const) {
    const verdict = judgeState(
      factsOf({ outputs: [logThatEnds({ state, reason, lines: ['the line'] }, T0 + 3 * MINUTE)] }),
    );
    t.same(verdict, { state, reason, evidence: ['train.log: the line'] });
  }
});

t.test('an end without a line is evidence by its moment; a code that nobody knows is not passed on', async (t) => {
  const at = T0 + 3 * MINUTE;
  const verdict = judgeState(factsOf({ outputs: [logThatEnds({ reason: 'toString', at }, at, 'ingest')] }));
  t.same(verdict, {
    state: 'failed',
    reason: 'error_in_log',
    evidence: ['ingest: says that it ended (failed) at 2025-09-09T14:20:51.000Z'],
  });
});

t.test(
  'an EarlyStopping line is believed though the replay does not agree; where both say it, both show',
  async (t) => {
    const line = 'EarlyStopping: Training stopped early as no improvement observed in last 3 epochs.';
    const said = logThatEnds({ state: 'early_stopped', reason: 'patience', lines: [line] }, T0 + 5 * MINUTE);
    const rows = rowsOf([0.1, 0.5, 0.4, 0.4, 0.4]);
    const alone = judgeState(factsOf({ rows, args: { patience: 50 }, outputs: [said] }));
    t.same(alone, { state: 'early_stopped', reason: 'patience', evidence: [`train.log: ${line}`] });
    const both = judgeState(factsOf({ rows, args: { patience: 3 }, outputs: [said] }));
    t.match(both, { state: 'early_stopped', reason: 'patience' });
    t.match(both.evidence, [/no better epoch than 2 in the 3 epochs/, `train.log: ${line}`]);
  },
);

t.test('a run whose last epoch is in has finished, though an error came after it, which is shown', async (t) => {
  const verdict = judgeState(factsOf({ epochsPlanned: 3, outputs: [oomAt(T0 + 3 * MINUTE)] }));
  t.match(verdict, { state: 'finished', reason: 'all_epochs_done' });
  t.match(verdict.evidence, [/epoch 3 of 3/, `train.log: ${OOM}`]);
});

t.test('the ending of a run that was resumed is history as soon as rows or arguments are newer', async (t) => {
  const outputs = [oomAt(T0 + MINUTE)];
  t.match(judgeState(factsOf({ outputs })), { state: 'running', reason: null });
  const restarted = factsOf({
    rows: [],
    outputs,
    argsAt: T0 + 3 * MINUTE,
    activityAt: T0 + 3 * MINUTE,
    now: T0 + 4 * MINUTE,
  });
  t.match(judgeState(restarted), { state: 'starting', reason: null });
});

t.test('what another output tells later makes an ending history', async (t) => {
  const goesOn = { source: 'signalbox.ndjson', writtenAt: null, facts: { ...NOTHING_SAID, saidAt: T0 + 20 * MINUTE } };
  const outputs = [oomAt(T0 + 5 * MINUTE), goesOn];
  t.match(judgeState(factsOf({ rows: [], outputs, now: T0 + 21 * MINUTE })), { state: 'starting' });
});

t.test('of several endings the one that explains most is the reason, and all are evidence', async (t) => {
  const at = T0 + 3 * MINUTE;
  const sidecar = logThatEnds({ lines: ['RuntimeError: worker'], at }, at, '/runs/train/signalbox.ndjson');
  const log = logThatEnds({ reason: 'dataloader_worker_died', lines: ['DataLoader worker exited'] }, at);
  const verdict = judgeState(factsOf({ outputs: [sidecar, log] }));
  t.match(verdict, { state: 'failed', reason: 'dataloader_worker_died' });
  t.same(verdict.evidence, ['train.log: DataLoader worker exited', 'signalbox.ndjson: RuntimeError: worker']);
});

t.test('a training that finished is not failed by what its script did afterwards', async (t) => {
  const at = T0 + 3 * MINUTE;
  const sidecar = logThatEnds({ state: 'finished', reason: 'said_finished', at }, at, 'signalbox.ndjson');
  const script = logThatEnds({ lines: ['ModuleNotFoundError: onnx'] }, at + 1000);
  t.match(judgeState(factsOf({ outputs: [script, sidecar] })), { state: 'finished', reason: 'said_finished' });
});

t.test('copied files, all with the time of the copy, tell the same end', async (t) => {
  const copiedAt = T0 + 90 * 24 * 60 * MINUTE;
  const rows = rowsOf([0.1, 0.2]).map((row) => ({ ...row, at: copiedAt }));
  const said = logThatEnds(
    { state: 'stopped', reason: 'interrupted', at: T0 + 2 * MINUTE },
    copiedAt,
    'signalbox.ndjson',
  );
  const copy = factsOf({ rows, outputs: [said], argsAt: copiedAt, watchedSince: null, now: copiedAt + 60 * MINUTE });
  t.match(judgeState(copy), { state: 'stopped', reason: 'interrupted' });
});

t.test(
  'an error in the log of a living process is evidence, and a stall when it stays silent: never a failure',
  async (t) => {
    const process = { status: 'alive', pids: [4711], state: 'S', stateSince: T0 } as const;
    const lively = factsOf({ outputs: [oomAt(T0 + 3 * MINUTE)], process });
    const running = judgeState(lively);
    t.match(running, { state: 'running', reason: null });
    t.match(running.evidence, [/epochs up to 3/, 'its process 4711 is alive', `train.log: ${OOM}`]);
    const silent = judgeState({ ...lively, now: T0 + 300 * MINUTE });
    t.match(silent, { state: 'stalled', reason: 'cuda_out_of_memory' });
    t.ok(silent.evidence.includes(`train.log: ${OOM}`));
  },
);
