import type { Database } from 'better-sqlite3';
import { Busy, type ReadLimits } from '../../core/ports.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { startThread, type Thread } from './thread.ts';

/**
 * Reads the database for whoever may not hold up the loop, one job after the other. `input` is asked for when its turn
 * has come, so what it says of this thread's memory is of that moment. `run` rejects with what the job threw, with the
 * signal's reason when it is aborted, with {@link Busy} when too many jobs wait, and with an Error when the thread ended
 * under it.
 */
export type Worker = {
  readonly run: <K extends keyof Jobs>(
    kind: K,
    input: () => Jobs[K]['input'],
    limits?: ReadLimits,
  ) => Promise<Jobs[K]['output']>;
  /** Ends the thread and returns when its connection is closed. What waits or runs is rejected. */
  readonly close: () => void;
};

/** Jobs that may wait for the one that runs. */
const MAX_WAITING = 32;
/** A thread without work is ended after this long: its memory counts. */
const IDLE_MS = 30_000;

/**
 * The worker of a database file: a thread with a connection of its own, which is started when there is work and started
 * anew when it ended under a job. A database in memory is no other thread's: there, jobs run at once.
 */
export const createWorker = (db: Database): Worker =>
  db.memory ? createInlineWorker(db) : createThreadWorker(db.name);

const createInlineWorker = (db: Database): Worker => {
  const jobs = createJobs(db);
  return {
    run: async (kind, input, limits) => {
      const checkEnd = () => limits?.signal?.throwIfAborted();
      checkEnd();
      return jobs[kind](input(), checkEnd);
    },
    close: () => {},
  };
};

type Task = {
  readonly kind: keyof Jobs;
  readonly input: () => unknown;
  readonly answer: (output: unknown) => void;
  readonly fail: (reason: unknown) => void;
};

const createThreadWorker = (path: string): Worker => {
  const waiting: Task[] = [];
  let running: Task | null = null;
  let thread: Thread | null = null;
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;

  const endThread = (): void => {
    thread?.end();
    thread = null;
  };
  const next = (): void => {
    if (isClosed) return;
    clearTimeout(idle);
    running = waiting.shift() ?? null;
    if (running === null) {
      idle = setTimeout(endThread, IDLE_MS).unref();
      return;
    }
    thread ??= startThread(path, { onAnswer, onEnd });
    thread.start(running.kind, running.input());
  };
  const onAnswer = (answer: { readonly output: unknown } | { readonly error: unknown }): void => {
    if ('output' in answer) running?.answer(answer.output);
    else running?.fail(answer.error);
    // Whoever waited acts on it first: the next job is to see what comes of it.
    setImmediate(next);
  };
  const onEnd = (why: Error): void => {
    thread = null;
    running?.fail(why);
    next();
  };

  return {
    run: (kind, input, limits) =>
      new Promise((resolve, reject) => {
        const signal = limits?.signal;
        signal?.throwIfAborted();
        if (isClosed) throw new Error(`${path} is closed`);
        if (waiting.length >= MAX_WAITING) throw new Busy(`${MAX_WAITING} long reads wait already`);
        const abort = (): void => {
          const place = waiting.indexOf(task);
          if (place !== -1) waiting.splice(place, 1);
          else if (task === running) thread?.endJob();
          reject(signal?.reason);
        };
        const task: Task = {
          kind,
          input,
          // The thread answers a job with what its kind is to answer.
          answer: (output) => leave(resolve, output as never),
          fail: (reason) => leave(reject, reason),
        };
        const leave = <T>(settle: (value: T) => void, value: T): void => {
          signal?.removeEventListener('abort', abort);
          settle(value);
        };
        signal?.addEventListener('abort', abort, { once: true });
        waiting.push(task);
        if (running === null) next();
      }),
    close: () => {
      isClosed = true;
      clearTimeout(idle);
      endThread();
      for (const task of [running, ...waiting.splice(0)]) task?.fail(new Error(`${path} was closed`));
      running = null;
    },
  };
};
