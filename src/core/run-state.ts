import type { RunState } from './run.ts';
import { type RunProgress, stoppedEarlyAfter } from './run-progress.ts';

/** A state with its reason code and the facts behind it. */
export type StateVerdict = {
  readonly state: RunState;
  readonly reason: string | null;
  readonly evidence: readonly string[];
};

/** What is known of a run when its state is judged. Moments are milliseconds. */
export type StateFacts = {
  readonly progress: RunProgress;
  readonly epochsDone: number;
  readonly epochsPlanned: number | null;
  readonly args: Readonly<Record<string, unknown>> | null;
  /** Newest sign of life in the folder. */
  readonly activityAt: number;
  readonly resultsPngAt: number | null;
  readonly secondsPerEpoch: number | null;
  /**
   * Since when this service has been watching the run without a break; null at first sight. Time in which nobody
   * looked is never called a stall.
   */
  readonly watchedSince: number | null;
  /** Set when the folder is known to be no more, or to be another one now. */
  readonly lost: 'folder_gone' | 'folder_replaced' | null;
  /** Processes of the run: alive now, gone (they were seen before), or never seen. */
  readonly processes: 'alive' | 'gone' | 'unknown';
  readonly now: number;
};

/** Silence longer than this many median epochs is a stall, and so many times that again an end. */
const QUIET_EPOCHS = 3;
const QUIET_AT_LEAST_MS = 60_000;
const GONE_AFTER_STALLS = 4;
/** The first epoch has no row and no known length: big data sets take long to scan and cache. */
const FIRST_EPOCH_MS = 30 * 60_000;

/** The state of a run from its rows, args, file times and processes. A pure function, so that replay agrees. */
export const judgeState = (facts: StateFacts): StateVerdict => endedByRows(facts) ?? bySilence(facts);

const endedByRows = (facts: StateFacts): StateVerdict | null => {
  const { progress, epochsDone, epochsPlanned, args } = facts;
  const { last } = progress;
  if (last === null) return null;
  if (epochsPlanned !== null && epochsDone >= epochsPlanned) {
    return ended('finished', 'all_epochs_done', `epoch ${epochsDone} of ${epochsPlanned} is in the result file`);
  }
  const budgetH = args?.time;
  if (typeof budgetH === 'number' && budgetH > 0 && (last.elapsedS ?? 0) >= budgetH * 3600) {
    return ended('finished', 'time_budget', `the time budget of ${budgetH} h is used up at epoch ${last.epoch}`);
  }
  const patience = args?.patience;
  const bestEpoch = typeof patience === 'number' ? stoppedEarlyAfter(progress, patience) : null;
  if (bestEpoch !== null) {
    return ended(
      'early_stopped',
      'patience',
      `no better epoch than ${bestEpoch} in the ${patience} epochs (patience) up to epoch ${last.epoch}`,
    );
  }
  if (facts.resultsPngAt !== null && last.at !== null && facts.resultsPngAt > last.at) {
    return ended('finished', 'final_plots_written', 'results.png, which is written last, is newer than the last row');
  }
  return null;
};

const bySilence = (facts: StateFacts): StateVerdict => {
  const { now } = facts;
  const { last } = facts.progress;
  const signOfLifeAt = Math.max(facts.activityAt, last?.at ?? 0);
  const quietMs = now - Math.max(signOfLifeAt, facts.watchedSince ?? 0);
  const none = last === null;
  const words = none ? 'no epoch has been written' : `the result file holds epochs up to ${last.epoch}`;
  const limitMs = none
    ? FIRST_EPOCH_MS
    : Math.max(QUIET_AT_LEAST_MS, QUIET_EPOCHS * 1000 * (facts.secondsPerEpoch ?? 0));
  const silence = `${words}; the last sign of life was at ${new Date(signOfLifeAt).toISOString()}`;

  if (facts.lost !== null) {
    const what = facts.lost === 'folder_gone' ? 'its folder is no longer there' : 'another folder is in its place';
    return ended(none ? 'failed' : 'stopped', facts.lost, `${words}; ${what}`);
  }
  if (facts.processes === 'gone') {
    return ended(none ? 'failed' : 'stopped', 'process_gone', `${words}; its process on the GPU is gone`);
  }
  if (quietMs <= limitMs) return { state: none ? 'starting' : 'running', reason: null, evidence: [words] };
  if (facts.processes === 'alive') {
    return { state: 'stalled', reason: 'no_new_epoch', evidence: [silence, 'its process is alive'] };
  }
  if (none) return ended('failed', 'no_epoch_completed', silence);
  if (facts.watchedSince === null || quietMs > GONE_AFTER_STALLS * limitMs) {
    return ended('stopped', 'no_new_epoch', `${silence}, ${plannedWords(facts)}`);
  }
  return { state: 'stalled', reason: 'no_new_epoch', evidence: [`${silence}; expected within ${duration(limitMs)}`] };
};

const ended = (state: RunState, reason: string, fact: string): StateVerdict => ({ state, reason, evidence: [fact] });

const plannedWords = ({ epochsDone, epochsPlanned }: StateFacts) =>
  epochsPlanned === null ? 'how many were planned is not known' : `${epochsDone} of ${epochsPlanned} epochs done`;

const duration = (ms: number): string => {
  const s = Math.round(ms / 1000);
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
};
