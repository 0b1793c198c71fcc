import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Jobs } from './jobs.ts';
import { FLAG, type ThreadAnswer, type ThreadOrder, type ThreadSettings } from './protocol.ts';

/** A running thread; it holds the process only while it has a job. */
export type Thread = {
  readonly start: (kind: keyof Jobs, input: unknown) => void;
  /** Asks the running job to end early; it answers all the same. */
  readonly endJob: () => void;
  /** Ends it, and returns when its connection is closed or after a second. No handler is called any more. */
  readonly end: () => void;
};

type Handlers = {
  readonly onAnswer: (answer: ThreadAnswer) => void;
  /** It ended by itself. */
  readonly onEnd: (why: Error) => void;
};

const ENTRY = new URL(`./entry${extname(import.meta.filename)}`, import.meta.url);
const CLOSED_WITHIN_MS = 1000;

/** Starts a thread that reads the database of this path. */
export const startThread = (path: string, { onAnswer, onEnd }: Handlers): Thread => {
  const flags = new Int32Array(new SharedArrayBuffer(4 * Object.keys(FLAG).length));
  const settings: ThreadSettings = { path, flags };
  // Nothing of what this process was started with is meant for it.
  const worker = new Worker(ENTRY, { workerData: settings, execArgv: [], env: {} });
  let failure: unknown = null;
  let isEnded = false;

  worker.on('message', (answer: ThreadAnswer) => {
    worker.unref();
    if (!isEnded) onAnswer(answer);
  });
  worker.on('error', (error) => {
    failure = error;
  });
  worker.on('exit', (code) => {
    if (isEnded) return;
    const why = failure instanceof Error ? failure.message : `exit code ${code}`;
    onEnd(new Error(`the thread that reads ${path} ended: ${why}`, { cause: failure }));
  });
  const post = (order: ThreadOrder): void => worker.postMessage(order);

  return {
    start: (kind, input) => {
      Atomics.store(flags, FLAG.jobEnds, 0);
      worker.ref();
      post({ kind, input });
    },
    endJob: () => {
      Atomics.store(flags, FLAG.jobEnds, 1);
    },
    end: () => {
      isEnded = true;
      Atomics.store(flags, FLAG.jobEnds, 1);
      post('end');
      Atomics.wait(flags, FLAG.isClosed, 0, CLOSED_WITHIN_MS);
      worker.unref();
      void worker.terminate();
    },
  };
};
