import type { Run } from './core/run.ts';
import type { RunFacts } from './core/run-summary.ts';

/** Stands for all result files of a run that was let go of, where they are told apart by their generation. */
export const FILES_BEFORE = '';

/** What is left of the facts of a run that had ended and was let go of. */
export const factsLeftOf = (run: Run): RunFacts => ({
  path: run.path,
  folder: { device: 0, inode: 0, bornAt: null },
  args: run.args,
  argsAt: run.startedAt,
  results: null,
  resultsPngAt: null,
  activityAt: run.updatedAt ?? run.startedAt ?? 0,
});

/** A run that was active when the service was last up, and whose folder no look has found since it started. */
export const notFoundAgain = (run: Run): Run => ({
  ...run,
  state: run.epochs === 0 ? 'failed' : 'stopped',
  stateReason: 'folder_gone',
  stateEvidence: [`${run.path} was not found when the service started`],
  endedAt: run.updatedAt,
  etaAt: null,
});
