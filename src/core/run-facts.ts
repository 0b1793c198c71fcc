import type { ObservedExit, ObservedKernelKill } from './batch.ts';
import type { KnownOutput } from './output-facts.ts';
import type { RunState } from './run.ts';
import type { RunProgress } from './run-progress.ts';
import type { RunReason } from './run-reasons.ts';

/** A state with its reason code and the facts behind it: lines, numbers, moments and pids that a person can check. */
export type StateVerdict = {
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly evidence: readonly string[];
};

/** What is known of the processes that do a run's work; see run-processes.ts for how it comes to be known. */
export type ProcessPresence =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'alive';
      readonly pids: readonly number[];
      /** R, S, D, T … of the first of them, and since when it was seen in that state. */
      readonly state: string | null;
      readonly stateSince: number | null;
    }
  | {
      readonly status: 'gone';
      readonly pids: readonly number[];
      /** When they were first missed. */
      readonly goneAt: number;
      readonly seenAliveAt: number | null;
    };

/** What is known of a run when its state is judged. Moments are milliseconds. */
export type StateFacts = {
  readonly progress: RunProgress;
  readonly epochsDone: number;
  readonly epochsPlanned: number | null;
  readonly args: Readonly<Record<string, unknown>> | null;
  /** When the arguments were written: at the start, and anew by a resume or a re-run. */
  readonly argsAt: number | null;
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
  readonly outputs: readonly KnownOutput[];
  readonly process: ProcessPresence;
  /** The last exit that `signalbox run` recorded for the run. */
  readonly exit: ObservedExit | null;
  /** The kernel's kill of a process of the run: see `killOf` in run-processes.ts. */
  readonly kernelKill: ObservedKernelKill | null;
  readonly now: number;
};

/** Rows, log lines and file times of one end differ by what a last validation and an NFS server's clock take. */
const SAME_END_MS = 60_000;

/** Whether something happened so much later than an end that it belongs to what came after it. */
export const isAfter = (at: number | null | undefined, endAt: number): boolean =>
  typeof at === 'number' && at > endAt + SAME_END_MS;

/** When outputs say that a process of the run began; null: none says. */
export const saidStartAt = ({ outputs }: StateFacts): number | null => {
  const starts = outputs.flatMap(({ facts }) => facts.start?.t ?? []);
  return starts.length === 0 ? null : Math.max(...starts);
};

/** The rows were written by an attempt before the one that runs now, which has none yet. */
export const rowsAreHistory = (facts: StateFacts): boolean => {
  const lastAt = facts.progress.last?.at ?? null;
  return lastAt !== null && isAfter(saidStartAt(facts), lastAt);
};

/** The newest thing that the run is known to have done. A log that several runs share is alive by their lines alone. */
export const signOfLifeAt = ({ activityAt, progress, outputs }: StateFacts): number =>
  Math.max(
    activityAt,
    progress.last?.at ?? 0,
    ...outputs.map(({ facts, writtenAt }) => facts.saidAt ?? writtenAt ?? 0),
  );

/** What the result file comes to, for evidence. */
export const rowsInWords = ({ progress: { last } }: StateFacts): string =>
  last === null ? 'no epoch has been written' : `the result file holds epochs up to ${last.epoch}`;

/** A moment as people can compare it with a log. */
export const momentInWords = (at: number): string => {
  // A file may bear any time.
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'a moment that no calendar has' : date.toISOString();
};
