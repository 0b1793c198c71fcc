import { endedByWriting } from './run-endings.ts';
import {
  isAfter,
  momentInWords,
  rowsAreHistory,
  rowsInWords,
  type StateFacts,
  type StateVerdict,
  signOfLifeAt,
} from './run-facts.ts';
import { endedByProcess } from './run-process-end.ts';
import { isReasonOf } from './run-reasons.ts';

/** Silence longer than this many median epochs is a stall, and so many times that again an end. */
const QUIET_EPOCHS = 3;
const QUIET_AT_LEAST_MS = 60_000;
const GONE_AFTER_STALLS = 4;
/** The first epoch has no row and no known length: big data sets take long to scan and cache. */
const FIRST_EPOCH_MS = 30 * 60_000;
/** A process that a signal holds for this long was not only paused for a look. */
const SUSPENDED_MS = 60_000;

/**
 * The state of a run: by its rows and its own words, else by what became of its process, else by the time since its last
 * sign of life. A run with a living process never fails: what its log says is then kept as evidence. A pure function, so
 * that replay agrees.
 */
export const judgeState = (facts: StateFacts): StateVerdict => {
  const end = endedByWriting(facts) ?? endedByProcess(facts) ?? endedByLoss(facts);
  if (end === null) return bySilence(facts, null);
  return end.state === 'failed' && facts.process.status === 'alive' ? bySilence(facts, end) : end;
};

const endedByLoss = (facts: StateFacts): StateVerdict | null => {
  const { lost, progress } = facts;
  if (lost === null) return null;
  const what = lost === 'folder_gone' ? 'its folder is no longer there' : 'another folder is in its place';
  const state = progress.last === null ? 'failed' : 'stopped';
  return { state, reason: lost, evidence: [`${rowsInWords(facts)}; ${what}`] };
};

/** `survived`: the failure that its output tells of and that its process outlived. */
const bySilence = (facts: StateFacts, survived: StateVerdict | null): StateVerdict => {
  const { now, process, progress, watchedSince } = facts;
  const signAt = signOfLifeAt(facts);
  const quietMs = now - Math.max(signAt, watchedSince ?? 0);
  const pending = awaitsFirstRow(facts);
  const limitMs = pending
    ? FIRST_EPOCH_MS
    : Math.max(QUIET_AT_LEAST_MS, QUIET_EPOCHS * 1000 * (facts.secondsPerEpoch ?? 0));
  const silence = `${rowsInWords(facts)}; the last sign of life was at ${momentInWords(signAt)}`;
  const expected = `${silence}; expected within ${duration(limitMs)}`;
  const alive = aliveInWords(facts);

  const held = heldInWords(facts);
  if (held !== null) return { state: 'stalled', reason: 'process_suspended', evidence: [held, silence] };
  if (quietMs <= limitMs) {
    const state = pending ? 'starting' : 'running';
    return { state, reason: null, evidence: [rowsInWords(facts), ...alive, ...(survived?.evidence ?? [])] };
  }
  if (process.status === 'alive') {
    const reason = survived?.reason ?? null;
    return {
      state: 'stalled',
      reason: reason !== null && isReasonOf(reason, 'stalled') ? reason : 'no_new_epoch',
      evidence: [expected, ...alive, ...(survived?.evidence ?? [])],
    };
  }
  if (progress.last === null) return { state: 'failed', reason: 'no_epoch_completed', evidence: [silence] };
  if (watchedSince === null || quietMs > GONE_AFTER_STALLS * limitMs) {
    return { state: 'stopped', reason: 'no_new_epoch', evidence: [`${silence}, ${plannedInWords(facts)}`] };
  }
  return { state: 'stalled', reason: 'no_new_epoch', evidence: [expected] };
};

/** No row yet, or none since it was resumed or began anew: that takes as long as a first epoch. */
const awaitsFirstRow = (facts: StateFacts): boolean => {
  const { last } = facts.progress;
  return last === null || rowsAreHistory(facts) || (last.at !== null && isAfter(facts.argsAt, last.at));
};

const aliveInWords = ({ process }: StateFacts): readonly string[] => {
  if (process.status !== 'alive') return [];
  const { pids, state, stateSince } = process;
  const waits =
    state === 'D' && stateSince !== null
      ? `; since ${momentInWords(stateSince)} it waits for a disk or a driver and hears no signal (state D)`
      : '';
  return [`its process ${pids.join(', ')} is alive${waits}`];
};

/** T: stopped by a signal; t: held by a debugger. See proc(5). */
const heldInWords = ({ process, now }: StateFacts): string | null => {
  if (process.status !== 'alive' || process.state?.toLowerCase() !== 't' || process.stateSince === null) return null;
  if (now - process.stateSince < SUSPENDED_MS) return null;
  const [pid] = process.pids;
  return `its process ${pid} is held since ${momentInWords(process.stateSince)} (state ${process.state}); kill -CONT ${pid} lets it go on`;
};

const plannedInWords = ({ epochsDone, epochsPlanned }: StateFacts) =>
  epochsPlanned === null ? 'how many were planned is not known' : `${epochsDone} of ${epochsPlanned} epochs done`;

const duration = (ms: number): string => {
  const s = Math.round(ms / 1000);
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
};
