import { type Cancel, type Clock, systemClock } from '../../core/clock.ts';
import type { Batch, Collector, CollectorHealth, Trees } from '../../core/ports.ts';
import type { LogOnce } from './log.ts';
import { createTimeLimit } from './time-limit.ts';
import { type Watch, watchFolder, watchTrees } from './watch.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** One collector in the runner. */
export type Looker = {
  readonly health: () => CollectorHealth;
  /** Stops its timers and hints, aborts the look under way, waits for it and closes the collector. */
  readonly close: () => Promise<void>;
};

/** What a looker is given; `ingest` may throw. */
export type LookerParts = {
  readonly collector: Collector;
  readonly clock: Clock;
  readonly polling: 'auto' | 'always';
  readonly logOnce: LogOnce;
  readonly ingest: (batch: Batch, collectorName: string) => void;
};

/** The look after the last hint of a burst: what was written while hints were merged is seen by it. */
const TRAILING_MS = 50;
const RETRY_WITHIN_MS = 60_000;
const BREAK_THROUGH_EVERY_MS = 1000;
/** One that woke us does so again in about a period. */
const SILENT_PERIODS = 3;

/**
 * Looks at once, then every `everyMs` of the clock, and after hints. A source that wakes us is polled only when it has
 * been silent. Whatever asks for a look while one is under way gets one more after it. After n failures the poll waits
 * 2ⁿ times as long, `retryWithinMs` at most, and hints are heeded once a second. A look that passes its time-out is
 * aborted and counted, and no other begins before it has ended; should it still give a batch, that is taken. Time-outs,
 * trailing looks and how long a look took are in the machine's time: they are about its disks and drivers, whatever the
 * speed of a demo's clock.
 */
export const createLooker = ({ collector, clock, polling, logOnce, ingest }: LookerParts): Looker => {
  const { name, when } = collector;
  let underWay: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;
  let closed = false;
  /** What the next look is for. */
  let everything = false;
  let hints = new Set<string>();

  const health: Writable<Omit<CollectorHealth, 'polling'>> = {
    name,
    everyMs: when.everyMs,
    lastSuccessAt: null,
    lastErrorAt: null,
    error: null,
    failures: 0,
    durationMs: null,
    misses: 0,
  };
  let lookedAt = 0;
  let dueAt = clock.now();
  /** The source itself asked for a look since the poll was set. */
  let isWoken = false;
  const timeLimit = createTimeLimit(collector.timeoutMs);
  let cancelPoll: Cancel | null = null;
  let cancelTrailing: Cancel = () => {};
  let cancelBreakThrough: Cancel | null = null;

  const ask = (path: string | null) => {
    if (closed) return;
    if (path === null) everything = true;
    else hints.add(path);
    heed();
  };

  const heed = () => {
    if (!everything && hints.size === 0) return;
    if (health.failures === 0) start();
    else cancelBreakThrough ??= clock.after(Math.max(0, lookedAt + BREAK_THROUGH_EVERY_MS - clock.now()), breakThrough);
  };

  const breakThrough = () => {
    cancelBreakThrough = null;
    start();
  };

  const start = () => {
    if (closed || underWay !== null || (!everything && hints.size === 0)) return;
    cancelBreakThrough?.();
    cancelBreakThrough = null;
    const paths = everything ? undefined : [...hints];
    everything = false;
    hints = new Set();
    lookedAt = clock.now();
    const abort = new AbortController();
    const startedAt = performance.now();
    const ended = look(abort, paths).finally(() => {
      measure(performance.now() - startedAt);
      finish(paths);
    });
    underWay = { abort, ended };
  };

  /** Whole periods that a look took are looks that were left out. */
  const measure = (durationMs: number) => {
    const leftOut = Math.max(0, Math.floor((clock.now() - lookedAt) / when.everyMs));
    health.durationMs = durationMs;
    health.misses += leftOut;
  };

  const look = async (abort: AbortController, paths: readonly string[] | undefined): Promise<void> => {
    timeLimit.begin(() => {
      if (closed) return;
      const error = new Error(`expected an answer within ${collector.timeoutMs} ms, found none`);
      fail('warn', error, 'a look takes too long');
      abort.abort(error);
    });
    try {
      if (paths === undefined) await watch?.refresh();
      abort.signal.throwIfAborted();
      const batch = await collector.collect(abort.signal, paths);
      if (!closed) take(batch);
    } catch (error) {
      if (!abort.signal.aborted) fail('warn', error, 'a look failed');
    } finally {
      timeLimit.end();
    }
  };

  const take = (batch: Batch) => {
    try {
      if (Object.keys(batch).length > 0) ingest(batch, name);
      health.lastSuccessAt = clock.now();
      health.error = null;
      health.failures = 0;
      if (batch.hasMore === true) everything = true;
    } catch (error) {
      collector.startOver?.();
      fail('error', error, 'what a look found could not be kept');
    }
  };

  const fail = (level: 'warn' | 'error', error: unknown, message: string) => {
    const text = error instanceof Error ? error.message : String(error);
    health.lastErrorAt = clock.now();
    health.error = text;
    health.failures += 1;
    health.misses += 1;
    logOnce(level, `${name}\n${message}\n${text}`, { collector: name, err: error }, message);
  };

  const finish = (paths: readonly string[] | undefined) => {
    underWay = null;
    if (closed) return;
    watchTree();
    if (paths === undefined) schedulePoll();
    heed();
  };

  const schedulePoll = () => {
    // To set a timer after each look would cost more than the look: the one that is set finds that it was not needed.
    if (isWoken && health.failures === 0 && cancelPoll !== null) return;
    pollAfter(when.everyMs);
  };

  const pollAfter = (periodMs: number) => {
    const now = clock.now();
    const backOffMs = Math.min(periodMs * 2 ** health.failures, when.retryWithinMs ?? RETRY_WITHIN_MS);
    const everyMs = Math.max(periodMs, backOffMs);
    dueAt += everyMs;
    // Late, or the clock was set: from here on.
    if (dueAt <= now || dueAt > now + everyMs) dueAt = now + everyMs;
    isWoken = false;
    cancelPoll?.();
    cancelPoll = clock.after(dueAt - now, poll);
  };

  const poll = () => {
    cancelPoll = null;
    if (isWoken && health.failures === 0) {
      pollAfter(SILENT_PERIODS * when.everyMs);
      return;
    }
    everything = true;
    start();
  };

  const trailing = new Set<string | null>();
  const askTwice = (path: string | null) => {
    ask(path);
    trailing.add(path);
    cancelTrailing();
    cancelTrailing = systemClock.after(TRAILING_MS, () => {
      for (const late of trailing) ask(late);
      trailing.clear();
    });
  };

  const mayWatch = polling !== 'always';
  // A tree may be huge: what the first look learns of it makes its watch cheaper.
  let watch: Watch | null =
    mayWatch && when.folder !== undefined ? openFolderWatch(when.folder, askTwice, logOnce) : null;
  const watchTree = () => {
    if (mayWatch && watch === null && when.trees !== undefined) watch = openTreesWatch(when.trees, ask, logOnce);
  };
  when.woken?.(() => {
    isWoken = true;
    ask(null);
  });
  ask(null);

  return {
    health: () => ({ ...health, polling: wantsHints(collector) && watch?.givesHints() !== true }),
    close: async () => {
      closed = true;
      for (const cancel of [cancelPoll, cancelTrailing, cancelBreakThrough]) cancel?.();
      timeLimit.close();
      const look = underWay;
      look?.abort.abort(new Error(`${name} is closed`));
      await watch?.close();
      await look?.ended;
      await collector.close?.();
    },
  };
};

const wantsHints = ({ when }: Collector): boolean => when.folder !== undefined || when.trees !== undefined;

const openFolderWatch = (folder: string, onHint: (path: string | null) => void, logOnce: LogOnce): Watch =>
  watchFolder(folder, onHint, sayProblem(logOnce));

const openTreesWatch = (trees: Trees, onHint: (path: string) => void, logOnce: LogOnce): Watch =>
  watchTrees(trees, onHint, sayProblem(logOnce));

const sayProblem = (logOnce: LogOnce) => (error: unknown) => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  logOnce('warn', `watch ${code}`, { err: error }, 'no hints of changes: polling');
};
