import type { RunState } from './run.ts';

/** What a reason code of a run's state means, and the states that it may stand beside. */
export type RunReasonInfo = { readonly states: readonly RunState[]; readonly meaning: string };

/**
 * Every reason that a state can have; `docs/states.md` shows this table. A `stalled` run has the reason of a failure
 * when its output tells of one and its process lives on: a living process never fails.
 */
export const RUN_REASONS = {
  all_epochs_done: { states: ['finished'], meaning: 'the last planned epoch is in the result file' },
  time_budget: { states: ['finished'], meaning: 'the hours given by `time` are used up' },
  final_plots_written: {
    states: ['finished'],
    meaning: '`results.png`, which is written last, is newer than the rows',
  },
  said_finished: { states: ['finished'], meaning: 'its log or its sidecar says that it came to its end' },
  exited_0: { states: ['finished'], meaning: '`signalbox run` saw it exit with 0 after at least one epoch' },
  patience: {
    states: ['early_stopped'],
    meaning: 'EarlyStopping, replayed over the rows or said by its log or sidecar, ended it',
  },
  interrupted: { states: ['stopped'], meaning: 'Ctrl-C, by its log, its sidecar or its exit (SIGINT)' },
  terminated: {
    states: ['stopped'],
    meaning: 'it was asked to end: SIGTERM, SIGQUIT, or SIGHUP as its terminal closed',
  },
  no_new_epoch: {
    states: ['stalled', 'stopped'],
    meaning: 'no sign of life for longer than its epochs take; `stopped` after four times that, unless it is alive',
  },
  process_suspended: { states: ['stalled'], meaning: 'a signal or a debugger holds its process (state T)' },
  folder_gone: { states: ['stopped', 'failed'], meaning: 'its folder is no longer there; `failed` without an epoch' },
  folder_replaced: {
    states: ['stopped', 'failed'],
    meaning: 'another folder took its place; `failed` without an epoch',
  },
  cuda_out_of_memory: { states: ['failed', 'stalled'], meaning: 'an allocation on the GPU failed' },
  dataloader_worker_died: { states: ['failed', 'stalled'], meaning: 'a dataloader worker was killed or crashed' },
  dataset_missing: { states: ['failed', 'stalled'], meaning: 'its images, labels or data set file were not found' },
  nan_loss: { states: ['failed', 'stalled'], meaning: 'the loss stayed NaN or infinite and the trainer gave up' },
  shared_memory_full: { states: ['failed', 'stalled'], meaning: '/dev/shm had no room for its dataloader' },
  disk_full: { states: ['failed', 'stalled'], meaning: 'a disk that it writes to was full' },
  error_in_log: { states: ['failed', 'stalled'], meaning: 'an exception that has no code of its own ended it' },
  killed_oom: {
    states: ['failed'],
    meaning: 'the kernel killed it because the memory of the host or the cgroup ran out',
  },
  killed: { states: ['failed'], meaning: 'it was killed by SIGKILL and the kernel log tells of no lack of memory' },
  crashed: { states: ['failed'], meaning: 'a signal such as SIGSEGV or SIGBUS ended it' },
  exit_code: { states: ['failed'], meaning: '`signalbox run` saw it exit with another code than 0' },
  process_gone: { states: ['failed'], meaning: 'its process is gone and left no word of why' },
  no_epoch_completed: {
    states: ['failed'],
    meaning: 'it exited with 0, or was silent for 30 minutes, before its first epoch was written',
  },
} as const satisfies Record<string, RunReasonInfo>;

/** One of {@link RUN_REASONS}. */
export type RunReason = keyof typeof RUN_REASONS;

/** Codes of outputs come from outside: only ours are taken, and only for a state that they can explain. */
export const isReasonOf = (code: string, state: RunState): code is RunReason => {
  const known: Readonly<Record<string, RunReasonInfo>> = RUN_REASONS;
  return Object.hasOwn(known, code) && known[code]?.states.includes(state) === true;
};
