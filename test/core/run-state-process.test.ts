import t from 'tap';
import type { ObservedExit } from '../../src/core/batch.ts';
import { judgeState } from '../../src/core/run-state.ts';
import { factsOf, logThatEnds, MINUTE, rowsOf, T0 } from './state-facts.ts';

const AT = T0 + 3 * MINUTE;
const exitOf = (exit: Partial<ObservedExit>): ObservedExit => ({
  path: '/runs/train',
  pid: 4711,
  exitCode: null,
  signal: null,
  endedAt: AT + 1000,
  ...exit,
});
const alive = { status: 'alive', pids: [4711], state: 'S', stateSince: T0 } as const;
const gone = { status: 'gone', pids: [4711], goneAt: AT + 1000, seenAliveAt: AT } as const;
const kernelKill = { at: AT + 500, pid: 4711, line: 'Out of memory: Killed process 4711 (python) total-vm:99kB' };

t.test('a training that vanishes without a word has failed, with rows or without', async (t) => {
  const verdict = judgeState(factsOf({ process: gone }));
  t.same(verdict, {
    state: 'failed',
    reason: 'process_gone',
    evidence: [
      'its process 4711 was last seen alive at 2025-09-09T14:20:51.000Z and is gone since 2025-09-09T14:20:52.000Z',
      'it left no word; the result file holds epochs up to 3',
    ],
  });
  t.match(judgeState(factsOf({ rows: [], process: { ...gone, goneAt: T0 }, now: T0 + 5000 })), {
    state: 'failed',
    reason: 'process_gone',
  });
});

t.test('the last words of a process that just ended are waited for', async (t) => {
  t.match(judgeState(factsOf({ process: gone, now: gone.goneAt + 1900 })), { state: 'running' });
  const exit = exitOf({ signal: 'SIGKILL' });
  t.match(judgeState(factsOf({ exit, now: exit.endedAt + 1900 })), { state: 'running' });
  const said = logThatEnds({ state: 'finished', reason: 'said_finished' }, AT);
  t.match(judgeState(factsOf({ process: gone, outputs: [said] })), { state: 'finished' });
  t.match(judgeState(factsOf({ process: gone, epochsPlanned: 3 })), { state: 'finished', reason: 'all_epochs_done' });
});

t.test('a run that writes on after its process was missed is done by another one', async (t) => {
  t.match(judgeState(factsOf({ process: { ...gone, goneAt: T0 } })), { state: 'running' });
});

t.test('a process that the kernel killed for want of memory says so, with the line of the kernel', async (t) => {
  const verdict = judgeState(factsOf({ process: gone, kernelKill }));
  t.match(verdict, { state: 'failed', reason: 'killed_oom' });
  t.match(verdict.evidence[0], /^kernel log at 2025-.*: Out of memory: Killed process 4711/);
});

t.test('the exit that signalbox run saw gives the state', async (t) => {
  for (const [exit, state, reason] of [
    [{ exitCode: 0 }, 'finished', 'exited_0'],
    [{ exitCode: 1 }, 'failed', 'exit_code'],
    [{ signal: 'SIGINT' }, 'stopped', 'interrupted'],
    [{ exitCode: 130 }, 'stopped', 'interrupted'],
    [{ signal: 'SIGTERM' }, 'stopped', 'terminated'],
    [{ signal: 'SIGHUP' }, 'stopped', 'terminated'],
    [{ signal: 'SIGKILL' }, 'failed', 'killed'],
    [{ exitCode: 137 }, 'failed', 'killed'],
    [{ signal: 'SIGSEGV' }, 'failed', 'crashed'],
    [{ exitCode: 135 }, 'failed', 'crashed'],
  ] as const) {
    const verdict = judgeState(factsOf({ exit: exitOf(exit) }));
    t.match(verdict, { state, reason }, JSON.stringify(exit));
    t.match(verdict.evidence[0], /^its process 4711 ended (with exit code|by SIG)/);
  }
});

t.test('a kill by signal 9 with a line in the kernel log was the kernel for want of memory', async (t) => {
  const verdict = judgeState(factsOf({ exit: exitOf({ signal: 'SIGKILL' }), kernelKill }));
  t.match(verdict, { state: 'failed', reason: 'killed_oom' });
  t.ok(verdict.evidence.some((fact) => fact.includes('by SIGKILL')));
});

t.test('an exit with 0 before the first epoch is no success', async (t) => {
  t.match(judgeState(factsOf({ rows: [], exit: exitOf({ exitCode: 0, endedAt: T0 }) })), {
    state: 'failed',
    reason: 'no_epoch_completed',
  });
});

t.test('what the log says of the end is more than an exit code', async (t) => {
  const outputs = [logThatEnds({ reason: 'dataset_missing', lines: ['not found'] }, AT)];
  t.match(judgeState(factsOf({ outputs, exit: exitOf({ exitCode: 1 }) })), { reason: 'dataset_missing' });
});

t.test('an exit that was not recorded, or that a newer attempt followed, says nothing', async (t) => {
  t.match(judgeState(factsOf({ exit: exitOf({}) })), { state: 'running' });
  t.match(judgeState(factsOf({ exit: exitOf({ exitCode: 1, endedAt: T0 }) })), { state: 'running' });
  t.match(judgeState(factsOf({ kernelKill: { ...kernelKill, at: T0 } })), { state: 'running' });
});

t.test('a run with a live process may stall but never stops by silence or fails', async (t) => {
  const base = factsOf({ process: alive, exit: exitOf({ exitCode: 1 }), kernelKill });
  t.match(judgeState(base), { state: 'running' });
  const stalled = judgeState({ ...base, now: AT + 600 * MINUTE });
  t.match(stalled, { state: 'stalled', reason: 'no_new_epoch' });
  t.ok(stalled.evidence.includes('its process 4711 is alive'));
  t.match(judgeState(factsOf({ rows: [], process: alive, now: T0 + 600 * MINUTE })), { state: 'stalled' });
});

t.test(
  'a process that a signal holds is a stall after a minute, and the evidence says how to let it go on',
  async (t) => {
    const rows = rowsOf([0.1, 0.2], 3600);
    const process = { ...alive, state: 'T', stateSince: T0 + 7200_000 };
    const base = factsOf({ rows, process, secondsPerEpoch: 3600 });
    t.match(judgeState({ ...base, now: process.stateSince + MINUTE - 1 }), { state: 'running' });
    const held = judgeState({ ...base, now: process.stateSince + MINUTE });
    t.match(held, { state: 'stalled', reason: 'process_suspended' });
    t.match(held.evidence[0], /kill -CONT 4711/);
  },
);

t.test('a process that waits for its disk is evidence of a stall, not a stall by itself', async (t) => {
  const process = { ...alive, state: 'D', stateSince: AT };
  t.match(judgeState(factsOf({ process, now: AT + 2 * MINUTE })), { state: 'running' });
  const stalled = judgeState(factsOf({ process, now: AT + 4 * MINUTE }));
  t.match(stalled, { state: 'stalled', reason: 'no_new_epoch' });
  t.match(stalled.evidence[1], /waits for a disk or a driver .*state D/);
});
