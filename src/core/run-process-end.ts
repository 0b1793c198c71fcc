import type { ObservedExit } from './batch.ts';
import {
  isAfter,
  momentInWords,
  rowsAreHistory,
  rowsInWords,
  type StateFacts,
  type StateVerdict,
  saidStartAt,
  signOfLifeAt,
} from './run-facts.ts';

/**
 * What a process writes last, and the kernel's line on a kill, are read within this time of its end: until then the end
 * tells nothing yet. A sign of life later than that is the work of a process that is not known.
 */
const LAST_WORDS_MS = 2000;

/** The end of a run by what became of its process: the kernel's kill, its exit, or that it is gone; null: none of them. */
export const endedByProcess = (facts: StateFacts): StateVerdict | null =>
  endedByKernel(facts) ?? endedByExit(facts) ?? endedByAbsence(facts);

const endedByKernel = (facts: StateFacts): StateVerdict | null => {
  const { kernelKill, exit } = facts;
  if (kernelKill === null || hasBegunSince(facts, kernelKill.at)) return null;
  const line = `kernel log at ${momentInWords(kernelKill.at)}: ${kernelKill.line}`;
  const more = exit === null ? [] : [exitInWords(exit)];
  return { state: 'failed', reason: 'killed_oom', evidence: [line, ...more, rowsInWords(facts)] };
};

const endedByExit = (facts: StateFacts): StateVerdict | null => {
  const { exit, progress, now } = facts;
  if (exit === null || now - exit.endedAt < LAST_WORDS_MS || hasBegunSince(facts, exit.endedAt)) return null;
  const evidence = [exitInWords(exit), rowsInWords(facts)];
  const signal = signalOf(exit);
  if (signal !== null) return { ...endedBySignal(signal), evidence };
  if (exit.exitCode === null) return null;
  if (exit.exitCode !== 0) return { state: 'failed', reason: 'exit_code', evidence };
  return progress.last === null || rowsAreHistory(facts)
    ? { state: 'failed', reason: 'no_epoch_completed', evidence }
    : { state: 'finished', reason: 'exited_0', evidence };
};

const endedBySignal = (signal: string): Pick<StateVerdict, 'state' | 'reason'> => {
  switch (signal) {
    case 'SIGINT':
      return { state: 'stopped', reason: 'interrupted' };
    case 'SIGTERM':
    case 'SIGHUP':
    case 'SIGQUIT':
      return { state: 'stopped', reason: 'terminated' };
    case 'SIGKILL':
      return { state: 'failed', reason: 'killed' };
    default:
      return { state: 'failed', reason: 'crashed' };
  }
};

const exitInWords = (exit: ObservedExit): string => {
  const signal = signalOf(exit);
  const how = signal === null ? `with exit code ${exit.exitCode ?? 'not known'}` : `by ${signal}`;
  return `its process ${exit.pid} ended ${how} at ${momentInWords(exit.endedAt)}`;
};

/** A shell gives 128 + n for a command that signal n ended. */
const SIGNAL_STATUS: Readonly<Record<number, string>> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
};

const signalOf = ({ signal, exitCode }: ObservedExit): string | null =>
  signal ?? (exitCode === null ? null : (SIGNAL_STATUS[exitCode] ?? null));

const endedByAbsence = (facts: StateFacts): StateVerdict | null => {
  const { process, now } = facts;
  if (process.status !== 'gone' || now - process.goneAt < LAST_WORDS_MS) return null;
  if (signOfLifeAt(facts) > process.goneAt + LAST_WORDS_MS) return null;
  const seen = process.seenAliveAt === null ? '' : `was last seen alive at ${momentInWords(process.seenAliveAt)} and `;
  const gone = `its process ${process.pids.join(', ')} ${seen}is gone since ${momentInWords(process.goneAt)}`;
  return { state: 'failed', reason: 'process_gone', evidence: [gone, `it left no word; ${rowsInWords(facts)}`] };
};

/** Whether the run went on, or began again, after the end that a process came to. */
const hasBegunSince = (facts: StateFacts, endAt: number): boolean =>
  isAfter(facts.progress.last?.at, endAt) || isAfter(facts.argsAt, endAt) || isAfter(saidStartAt(facts), endAt);
