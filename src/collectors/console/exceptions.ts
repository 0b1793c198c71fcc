import { failureOf } from '../../core/failure-codes.ts';
import type { EndEvent, LogCode } from '../../core/trace.ts';

/** What a line is in an exception's report: its code for the log, and the ending that it tells of, if it does. */
export type ExceptionLine = { readonly code: LogCode | null; readonly end: EndEvent | null };

/** Follows tracebacks through the lines of a log. */
export type ExceptionReader = {
  /** null: the line has nothing to do with an exception. */
  readonly take: (line: string) => ExceptionLine | null;
  /** An empty line, or one with a meaning of its own: the message of an exception is at its end. */
  readonly pause: () => void;
  /** The training goes on, or another one begins. */
  readonly forget: () => void;
};

/** The exception's own line, with its module or without. A word before `Error` keeps `Errors: 0` out. */
const EXCEPTION = /^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit)(?::|$)/;
/** In a traceback any name may end it, such as `Exception: Dataset not found` or `queue.Empty`. */
const ANY_EXCEPTION = /^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:: |:?$)/;
const PLAIN_EXCEPTION = /^Exception: /;
const TRACEBACK = /Traceback \(most recent call last\):$/;
const THREAD = /^Exception in thread |^Exception ignored in: |^Exception ignored while /;
const THREAD_FRAME = /threading\.py", line \d+, in _bootstrap/;
/** The parent's word that its child failed: the child said why. */
const WRAPPER = /\b(?:CalledProcessError|ChildFailedError|ProcessRaisedException|ProcessExitedException)\b/;
const PROMPT = /^\(?[\w.-]+[)@].*[#$%>]\s*$/;

/** What kills the workers of a dataloader is the greater half of the matter. */
const KILLS_WORKERS: ReadonlySet<LogCode> = new Set(['shared_memory_full', 'interrupted']);

/** Lines that an exception's message may go on for; the first of them is the one that counts. */
const MORE_LINES = 3;
const MAX_ERROR = 4096;

/**
 * An exception ends the training unless a thread raised it; one that was caught and printed looks the same, and what
 * the training says after it tells. Each line that adds to it gives the ending again, so that a log may stop anywhere;
 * of chained exceptions the last counts, and of a parent's and its child's the child's.
 */
export const createExceptionReader = (): ExceptionReader => {
  /** Inside a traceback, before its exception. */
  let traceback: { thread: boolean } | null = null;
  let threadNamed = false;
  /** The exception whose message may go on in the next lines. */
  let open: { readonly lines: string[]; readonly code: LogCode } | null = null;
  let told: LogCode | null = null;

  const endOf = (lines: readonly string[], code: LogCode): EndEvent => ({
    t: null,
    kind: 'end',
    reason: code === 'interrupted' ? 'interrupted' : 'exception',
    error: lines.join('\n').slice(0, MAX_ERROR),
    code,
  });

  const raise = (line: string): ExceptionLine => {
    const thread = traceback?.thread ?? false;
    traceback = null;
    open = null;
    if (thread) return { code: 'thread_exception', end: null };
    if (told !== null && WRAPPER.test(line)) return { code: 'error_in_log', end: null };
    const found = failureOf(line);
    const code = found === 'dataloader_worker_died' && told !== null && KILLS_WORKERS.has(told) ? told : found;
    told = code;
    open = { lines: [line], code };
    return { code, end: endOf(open.lines, code) };
  };

  return {
    pause: () => {
      open = null;
    },
    forget: () => {
      open = null;
      told = null;
    },
    take: (line) => {
      if (THREAD.test(line)) {
        threadNamed = true;
        return { code: 'thread_exception', end: null };
      }
      if (TRACEBACK.test(line)) {
        traceback = { thread: threadNamed };
        threadNamed = false;
        open = null;
        return { code: null, end: null };
      }
      if (traceback !== null) {
        if (THREAD_FRAME.test(line)) traceback.thread = true;
        if (/^\s/.test(line)) return { code: null, end: null };
        if (ANY_EXCEPTION.test(line)) return raise(line);
        traceback = null;
        return null;
      }
      if (EXCEPTION.test(line) || PLAIN_EXCEPTION.test(line)) return raise(line);
      if (open === null || open.lines.length > MORE_LINES || PROMPT.test(line)) return null;
      open.lines.push(line);
      return { code: null, end: endOf(open.lines, open.code) };
    },
  };
};
