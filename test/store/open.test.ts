import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { openStore } from '../../src/store/open.ts';
import { observed, rows } from './observed.ts';
import { MIGRATIONS, open, T0 } from './open-store.ts';

/** Another process that has the database open and writes it; `lines` is what it said so far. */
const startWriter = (t: Test, path: string) => {
  const script = fileURLToPath(new URL('child-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  return {
    lines,
    pid: child.pid,
    /** Resolves once it said so many lines. */
    said: async (count: number) => {
      while (lines.length < count) await once(reader, 'line');
    },
    /** kill -9, then waits until all that it said is here. */
    kill: async () => {
      const closed = once(reader, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
};

t.test('a database is made with its folder, in WAL mode, and says its path and size', async (t) => {
  const path = join(t.testdir(), 'data', 'signalbox.db');
  const store = open(path);
  const { bytes, ...health } = store.health();
  t.same(health, { path, writable: true, warning: null, samplesLost: 0 });
  t.ok(bytes > 0);
  store.close();
  store.close();
  const reader = new Database(path, { readonly: true });
  t.equal(reader.pragma('journal_mode', { simple: true }), 'wal');
  t.equal(reader.pragma('user_version', { simple: true }), readdirSync(MIGRATIONS).length);
  reader.close();
});

t.test('after a restart runs, rows and attempts are as they were', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const before = open(path);
  const { id } = before.observeRun(observed({ rows: rows(1, 5) }), 'trainer', T0);
  const kept = [before.getRun(id), before.rowsOf(id), before.listAttempts(id)];
  before.close();
  const after = open(path);
  t.same([after.getRun(id), after.rowsOf(id), after.listAttempts(id)], kept);
  t.same(after.observeRun(observed({ rows: rows(1, 6) }), 'trainer', T0), {
    id,
    isNew: false,
    rows: after.rowsOf(id).slice(5),
  });
  after.close();
});

t.test('a failed migration leaves the database as it was', async (t) => {
  const folder = t.testdir({ '0001-a.sql': 'CREATE TABLE a (x);', '0002-b.sql': 'CREATE TABLE b (x); nonsense;' });
  const path = join(folder, 'signalbox.db');
  t.throws(() => openStore({ path, migrations: folder }), { name: 'StoreError', message: /signalbox\.db.*nonsense/ });
  const db = new Database(path, { readonly: true });
  t.equal(db.pragma('user_version', { simple: true }), 1);
  t.same(db.prepare('SELECT name FROM sqlite_schema').pluck().all(), ['a']);
  db.close();
});

t.test('a folder of migrations that misses one is refused', async (t) => {
  const folder = t.testdir({ '0001-a.sql': '', '0003-c.sql': '' });
  t.throws(() => openStore({ path: ':memory:', migrations: folder }), {
    name: 'StoreError',
    message: /0003-c\.sql: expected the migration with number 2/,
  });
});

t.test('a database that cannot be used is refused in one line that names it', async (t) => {
  const folder = t.testdir({ 'notes.db': 'not a database at all, but long enough to be looked at\n'.repeat(100) });
  const file = (name: string) => join(folder, name);

  open(file('newer.db')).close();
  const newer = new Database(file('newer.db'));
  newer.pragma('user_version = 99');
  newer.close();

  const foreign = new Database(file('foreign.db'));
  foreign.exec('CREATE TABLE photos (id)');
  foreign.close();

  const refusals: readonly (readonly [path: string, message: RegExp])[] = [
    [file('notes.db'), /notes\.db is not an SQLite database; expected one that Signalbox made$/],
    [file('newer.db'), /newer\.db was written by a newer Signalbox: its schema is 99, this one knows up to \d+$/],
    [file('foreign.db'), /foreign\.db is the database of another program; expected one that Signalbox made$/],
    [file('notes.db/data/signalbox.db'), /signalbox\.db cannot be opened: ENOTDIR.+$/],
    [folder, /cannot be opened: .+$/],
  ];
  for (const [path, message] of refusals) {
    t.throws(() => open(path), { name: 'StoreError', message }, String(message));
  }
});

t.test('while one process writes a database, another one is told its pid and may read', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const writer = startWriter(t, path);
  await writer.said(3);
  t.throws(() => open(path), { name: 'StoreError', message: `${path} is already in use by process ${writer.pid}` });
  const reader = new Database(path, { readonly: true });
  t.ok(Number(reader.prepare('SELECT count(*) FROM epochs').pluck().get()) >= 2);
  reader.close();
  await writer.kill();
  open(path).close();
});

t.test('a second store in the same process is refused until the first is closed', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const first = open(path);
  t.throws(() => open(path), { message: `${path} is already in use by process ${process.pid}` });
  first.close();
  open(path).close();
});

t.test('a link to a database is that database, also while nobody has made it yet', async (t) => {
  const folder = t.testdir({ disk: {}, links: t.fixture('symlink', 'disk') });
  const file = join(folder, 'disk', 'signalbox.db');
  const links = [join(folder, 'links', 'signalbox.db'), join(folder, 'link.db')];
  symlinkSync(file, join(folder, 'link.db'));
  for (const link of links) {
    const first = open(link);
    t.equal(first.health().path, file);
    for (const other of [file, ...links]) t.throws(() => open(other), { message: /already in use by process \d+$/ });
    first.close();
  }
  const direct = open(file);
  for (const link of links)
    t.throws(() => open(link), { message: `${file} is already in use by process ${process.pid}` });
  direct.close();
});

t.test('health says that writes fail, until one succeeds again', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const store = open(path);
  const intruder = new Database(path);
  intruder.exec('BEGIN IMMEDIATE');
  t.throws(() => store.observeRun(observed(), 'trainer', T0), { code: 'SQLITE_BUSY' });
  t.equal(store.health().writable, false);
  intruder.exec('ROLLBACK');
  intruder.close();
  store.observeRun(observed(), 'trainer', T0);
  t.equal(store.health().writable, true);
  store.close();
});

t.test('after kill -9 everything that was committed is there, once, and the file is sound', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  let known = 0;
  for (let round = 1; round <= 3; round++) {
    const writer = startWriter(t, path);
    await writer.said(40 * round);
    await writer.kill();
    known = Math.max(known, Number(writer.lines.at(-1)));

    const store = open(path);
    const [run] = store.listRuns({ limit: 2 }).items;
    const epochs = store.rowsOf(run?.id ?? '').map(({ epoch }) => epoch);
    t.ok(epochs.length >= known, `${epochs.length} epochs stored, ${known} said to be`);
    t.same(
      epochs,
      epochs.map((_, index) => index + 1),
    );
    const start = store.cursor().replace(/\d+$/, '0');
    const replay = store.eventsAfter(start, { topics: ['epochs'], limit: 100_000 });
    t.same(
      replay?.events.map(({ data }) => 'epoch' in data && data.epoch),
      epochs,
    );
    const samples = store.samplesSince('gpu:GPU-a', T0).length;
    t.ok(samples <= epochs.length && samples >= epochs.length - 10, 'at most a tail of samples is lost');
    store.close();

    const db = new Database(path, { readonly: true });
    t.equal(db.pragma('integrity_check', { simple: true }), 'ok');
    t.same(db.pragma('foreign_key_check'), []);
    db.close();
  }
});
