// The thread that worker.ts starts: one read-only connection, one job at a time.
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { createJobs } from './jobs.ts';
import { FLAG, type ThreadAnswer, type ThreadOrder, type ThreadSettings } from './protocol.ts';

if (parentPort === null) throw new Error('entry.ts is started as a thread, by thread.ts');
const port = parentPort;
// thread.ts sends it.
const { path, flags } = workerData as ThreadSettings;
const db = new Database(path, { readonly: true, timeout: 2000 });
const jobs = createJobs(db);

const checkEnd = (): void => {
  if (Atomics.load(flags, FLAG.jobEnds) === 1) throw new Error('nobody waits for this any more');
};

port.on('message', (order: ThreadOrder) => {
  if (order === 'end') {
    db.close();
    Atomics.store(flags, FLAG.isClosed, 1);
    Atomics.notify(flags, FLAG.isClosed);
    port.close();
    return;
  }
  port.postMessage(answerTo(order));
});

const answerTo = ({ kind, input }: Exclude<ThreadOrder, 'end'>): ThreadAnswer => {
  // The input belongs to the kind: worker.ts takes only such.
  const job = jobs[kind] as (input: unknown, checkEnd: () => void) => unknown;
  try {
    // One snapshot of the database for the whole job.
    return { output: db.transaction(() => job(input, checkEnd))() };
  } catch (error) {
    return { error };
  }
};
