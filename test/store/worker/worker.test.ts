import { readdirSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import type { StatisticsInput } from '../../../src/store/history/statistics.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { createWorker } from '../../../src/store/worker/worker.ts';
import { MIGRATIONS, open, T0 } from '../open-store.ts';

/** Samples of 100 s at the path. */
const fill = (path: string): void => {
  const store = open(path);
  const samples = Array.from({ length: 100 }, (_, i) => ({
    ...{ subject: 'gpu:GPU-a', at: T0 + 1000 * i },
    values: { power: 200 },
  }));
  store.appendSamples(samples);
  store.close();
};

/** The mean power of `windows` windows: the more there are, the longer it takes. */
const statistics = (windows: number) => (): StatisticsInput => ({
  subject: { id: 1, table: 'gpu_samples' },
  query: { metrics: ['power'], windows: new Array(windows).fill([{ from: T0, to: T0 + 100_000 }]), below: 30 },
  metrics: ['power'],
  memory: { sealings: 0, recent: new Map(), unread: null, tail: { at: new Float64Array(0), columns: new Map() } },
});
/** Minutes of work, if nobody ends it. */
const ENDLESS = 1_000_000;

const openWorker = (t: Test) => {
  const path = join(t.testdir(), 'signalbox.db');
  fill(path);
  const db = new Database(path);
  const worker = createWorker(db);
  t.teardown(() => {
    worker.close();
    db.close();
  });
  return { path, worker };
};
const meanOf = (windows: Awaited<ReturnType<ReturnType<typeof createWorker>['run']>>) =>
  Array.isArray(windows) ? windows.map((window) => window.metrics.power.avg) : windows;

t.test('a thread reads a file; a database in memory is read at once', async (t) => {
  const { worker } = openWorker(t);
  t.same(meanOf(await worker.run('statistics', statistics(2))), [200, 200]);
  const db = new Database(':memory:');
  t.teardown(() => db.close());
  migrate(db, MIGRATIONS);
  t.same(meanOf(await createWorker(db).run('statistics', statistics(1))), [null]);
});

t.test('memory of another moment than the database is told, not mixed with it', async (t) => {
  const { worker } = openWorker(t);
  const input = statistics(1)();
  t.equal(await worker.run('statistics', () => ({ ...input, memory: { ...input.memory, sealings: 1 } })), null);
});

t.test('too many jobs are refused, and those that were taken are done in order', async (t) => {
  const { worker } = openWorker(t);
  const order: number[] = [];
  const jobs = Array.from({ length: 33 }, async (_, i) => {
    await worker.run('statistics', statistics(1));
    order.push(i);
  });
  await t.rejects(worker.run('statistics', statistics(1)), { name: 'Busy', retryAfterS: 2 });
  await Promise.all(jobs);
  t.same(order, [...Array(33).keys()]);
  t.ok(await worker.run('statistics', statistics(1)));
});

t.test('whoever goes away ends what runs for them, and what waits is not begun', async (t) => {
  const { worker } = openWorker(t);
  const [first, second] = [new AbortController(), new AbortController()];
  const running = worker.run('statistics', statistics(ENDLESS), first);
  let isBegun = false;
  const input = (): StatisticsInput => {
    isBegun = true;
    return statistics(1)();
  };
  const waiting = worker.run('statistics', input, second);
  const next = worker.run('statistics', statistics(1));
  second.abort(new Error('gone, too'));
  await t.rejects(waiting, { message: 'gone, too' });
  first.abort(new Error('gone'));
  await t.rejects(running, { message: 'gone' });
  t.same(meanOf(await next), [200]);
  t.notOk(isBegun);
  await t.rejects(worker.run('statistics', statistics(1), first), { message: 'gone' });
});

t.test('a job that throws is told so, and the next one is answered', async (t) => {
  const { worker } = openWorker(t);
  const input = statistics(1)();
  await t.rejects(
    worker.run('statistics', () => ({ ...input, metrics: ['nonsense'] })),
    /no such column/,
  );
  t.same(meanOf(await worker.run('statistics', statistics(1))), [200]);
});

t.test('a thread that dies takes its job with it, and the next job gets a new one', async (t) => {
  const { path, worker } = openWorker(t);
  renameSync(path, `${path}.away`);
  writeFileSync(path, 'this is no database at all, but long enough to be looked at as one'.repeat(100));
  const dead = worker.run('statistics', statistics(1));
  const next = worker.run('statistics', statistics(1));
  await t.rejects(dead, /signalbox\.db ended: .*not a database/);
  await t.rejects(next, /not a database/);
  renameSync(`${path}.away`, path);
  t.same(meanOf(await worker.run('statistics', statistics(1))), [200]);
});

t.test('what runs or waits at the end is rejected, and nothing more is taken', async (t) => {
  const { worker } = openWorker(t);
  const jobs = [worker.run('statistics', statistics(ENDLESS)), worker.run('statistics', statistics(1))];
  worker.close();
  for (const job of jobs) await t.rejects(job, /was closed/);
  await t.rejects(worker.run('statistics', statistics(1)), /is closed/);
});

t.test('a thread without work lets go of the database after half a minute', async (t) => {
  const { path, worker } = openWorker(t);
  const holders = () => readdirSync('/proc/self/fd').filter((fd) => linkOf(`/proc/self/fd/${fd}`) === path).length;
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  await worker.run('statistics', statistics(1));
  await new Promise(setImmediate);
  const before = holders();
  mock.timers.tick(29_000);
  t.equal(holders(), before);
  mock.timers.tick(1000);
  t.equal(holders(), before - 1);
  t.same(meanOf(await worker.run('statistics', statistics(1))), [200]);
});

const linkOf = (path: string): string | null => {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor of the listing itself.
    return null;
  }
};
