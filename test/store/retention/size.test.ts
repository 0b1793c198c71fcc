import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { T0 } from '../open-store.ts';
import { stage } from './stage.ts';

const HOUR = 3_600_000;
const START = Math.floor(T0 / HOUR) * HOUR;
const NOW = START + 24 * HOUR;
const MIB = 2 ** 20;

const bytesOf = (path: string): number =>
  [path, `${path}-wal`].reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0);

/** A run with rows of every table that belongs to it, `kib` of steps and of log lines. */
const putRun = (
  { db }: ReturnType<typeof stage>,
  { id, state, startedAt, kib }: { id: string; state: string; startedAt: number; kib: number },
) => {
  db.prepare(
    `INSERT INTO runs (id, path, host, device, inode, name, state, started_at) VALUES (?, ?, 'h', 1, ?, ?, ?, ?)`,
  ).run(id, `/runs/${id}`, startedAt, id, state, startedAt);
  db.prepare(
    `INSERT INTO attempts (run, attempt, kind, generation, inode, file_attempt) VALUES (?, 1, 'start', 'g', 1, 0)`,
  ).run(id);
  db.prepare(`INSERT INTO epochs (run, attempt, epoch, metrics) VALUES (?, 1, 1, '{}')`).run(id);
  db.prepare(
    `INSERT INTO alerts (id, rule, severity, state, run, started_at, body) VALUES (?, 'oom_risk', 'warning', 'resolved', ?, 1, '{}')`,
  ).run(`a_${id}`, id);
  const step = db.prepare(
    `INSERT INTO steps (run, attempt, epoch, batch, loss, loss_over) VALUES (?, 1, 1, ?, hex(randomblob(512)), 1)`,
  );
  const line = db.prepare(`INSERT INTO log_lines (run, source, line) VALUES (?, 'console', hex(randomblob(512)))`);
  db.transaction(() => {
    for (let number = 0; number < kib; number++) {
      step.run(id, number);
      line.run(id);
    }
  })();
};

t.test('a database that is too large loses its oldest samples first, and the file shrinks below its cap', (t) => {
  const path = join(t.testdir(), 'history.db');
  const at = stage(path, { maxBytes: 10 * MIB });
  t.teardown(() => at.db.close());
  at.putChunks('minute_chunks', { start: START, hours: 20, bytes: 100_000 });
  at.putChunks('raw_chunks', { start: START, hours: 300, bytes: 50_000 });
  t.ok(bytesOf(path) > 16 * MIB);
  at.settle(NOW);
  t.ok(bytesOf(path) <= 10 * MIB, `${bytesOf(path)} bytes, log included`);
  t.ok(at.count('raw_chunks') > 90 && at.count('raw_chunks') < 300, 'no more than it has to');
  t.equal(at.db.prepare('SELECT max(start) FROM raw_chunks').pluck().get(), START + 299 * HOUR, 'the newest stay');
  t.equal(at.count('minute_chunks'), 20);
  t.equal(at.db.pragma('integrity_check', { simple: true }), 'ok');
  t.same(at.warned, [], 'that is as it should be');
  t.end();
});

t.test('then minutes go, then hours, then what old runs said; runs, epochs and alerts never', (t) => {
  const path = join(t.testdir(), 'history.db');
  const order = ['raw_chunks', 'minute_chunks', 'hour_rollups', 'log_lines', 'steps'];
  const at = stage(path, { maxBytes: 100_000 });
  t.teardown(() => at.db.close());
  at.putChunks('raw_chunks', { start: START, hours: 40, bytes: 20_000 });
  at.putChunks('minute_chunks', { start: START, hours: 40, bytes: 20_000 });
  for (const subject of [1, 2]) at.putHours({ start: START - 900 * HOUR, hours: 900, subject }, ['power', 'fan']);
  putRun(at, { id: 'old', state: 'finished', startedAt: T0, kib: 600 });
  putRun(at, { id: 'new', state: 'running', startedAt: T0 + 1, kib: 600 });
  const emptied: string[] = [];
  const note = () => {
    for (const table of order) {
      const left = table === 'log_lines' || table === 'steps' ? at.count(table) - 600 : at.count(table);
      if (left === 0 && !emptied.includes(table)) emptied.push(table);
    }
  };
  for (let step = 0; step < 300 && at.warned.length === 0; step++) {
    at.keeping.step(NOW);
    note();
  }
  t.same(emptied, order);
  t.same(['runs', 'attempts', 'epochs', 'alerts'].map(at.count), [2, 2, 2, 2]);
  t.equal(at.db.prepare(`SELECT count(*) FROM steps WHERE run = 'new'`).pluck().get(), 600, 'it goes on');
  for (let step = 0; step < 20; step++) at.keeping.step(NOW);
  t.same(at.warned, ['the history is larger than it may be, and all that is left of it is kept for ever']);
  t.equal(at.keeping.warning(), at.warned[0]);
  t.end();
});

t.test('of the hours the oldest go first, a part at a time', (t) => {
  const path = join(t.testdir(), 'history.db');
  const metrics = Array.from({ length: 20 }, (_, i) => `metric${i}`);
  const at = stage(path, { maxBytes: MIB });
  t.teardown(() => at.db.close());
  for (const subject of [1, 2, 3]) at.putHours({ start: START - 2000 * HOUR, hours: 400, subject }, metrics);
  at.settle(NOW);
  const begins = at.db
    .prepare<[number], number>('SELECT min(start) FROM hour_rollups GROUP BY subject, metric HAVING max(start) = ?')
    .pluck()
    .all(START - 1601 * HOUR);
  t.equal(begins.length, 60, 'the newest hour of every series is there');
  t.ok(Math.max(...begins) - Math.min(...begins) <= 24 * HOUR, 'all begin at about the same time');
  t.ok(bytesOf(path) <= MIB);
  t.end();
});

t.test('space of a database that was made before it could be given back is used again', (t) => {
  const path = join(t.testdir(), 'history.db');
  const old = stage(path);
  old.db.pragma('journal_mode = DELETE');
  old.db.pragma('auto_vacuum = NONE');
  old.db.exec('VACUUM');
  old.db.close();
  const at = stage(path, { maxBytes: 10 * MIB });
  t.teardown(() => at.db.close());
  at.putChunks('raw_chunks', { start: START, hours: 300, bytes: 50_000 });
  at.settle(NOW);
  const left = at.count('raw_chunks');
  t.ok(left > 150, `${left}: free pages do not count against the cap`);
  t.end();
});

t.test('a step takes far less than a tick, also while there is much to delete', (t) => {
  const at = stage(join(t.testdir(), 'history.db'), { maxBytes: 5 * MIB });
  t.teardown(() => at.db.close());
  at.putChunks('raw_chunks', { start: START, hours: 300, bytes: 50_000 });
  const took: number[] = [];
  for (let more = true; more; ) {
    const began = performance.now();
    more = at.keeping.step(NOW);
    took.push(performance.now() - began);
    at.db.pragma('wal_checkpoint(PASSIVE)');
  }
  const median = took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)] ?? Number.NaN;
  t.comment(`median ${median.toFixed(1)} ms, most ${Math.max(...took).toFixed(1)} ms of ${took.length}`);
  t.ok(median < 20, `median ${median.toFixed(1)} ms of ${took.length}`);
  t.end();
});
