import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import t from 'tap';
import { openStore } from '../../src/store/open.ts';
import { salvage } from '../../src/store/salvage.ts';
import { damagePage, makeDatabase, overwrite } from './damaged.ts';
import { MIGRATIONS, open, T0 } from './open-store.ts';

const salvaged = (path: string) => salvage({ path, migrations: MIGRATIONS, now: T0 });

t.test('a damaged database is set aside as it is, and all but the damaged page is in the new one', async (t) => {
  const path = join(t.testdir(), 'history.db');
  const { run } = makeDatabase(path);
  damagePage(path, 'epochs', 0.5);
  const before = readFileSync(path);
  const { setAside, saved, incomplete } = salvaged(path);
  t.equal(setAside, `${path}.damaged-20250909-141751`);
  t.same(readFileSync(setAside), before);
  t.same(incomplete, ['epochs']);
  const { epochs = 0 } = saved;
  t.ok(epochs > 1900 && epochs < 2000, `${epochs} of 2000 epochs`);
  t.match(saved, { runs: 1, attempts: 1, raw_chunks: 8, layouts: 1, gpus: 1, gpu_samples: 2 });
  const store = open(path);
  const numbers = store.rowsOf(run).map(({ epoch }) => epoch);
  t.match([numbers[0], numbers.at(-1)], [1, 2000], 'what is before the page, and what is behind it');
  store.close();
  const db = new Database(path, { readonly: true });
  t.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  t.same(db.pragma('foreign_key_check'), []);
  db.close();
  t.same(
    readdirSync(join(path, '..')).filter((name) => name.includes('salvaging')),
    [],
  );
});

t.test('two damaged pages do not take what is between them', async (t) => {
  const path = join(t.testdir(), 'history.db');
  makeDatabase(path, { epochs: 10 });
  const db = new Database(path);
  const put = db.prepare(`INSERT INTO log_lines (run, source, line) SELECT id, 'console', ? FROM runs`);
  db.transaction(() => {
    for (let line = 0; line < 5000; line++) put.run(`line ${line} ${'.'.repeat(100)}`);
  })();
  db.close();
  for (const share of [0.1, 0.9]) damagePage(path, 'log_lines', share);
  const { saved, incomplete } = salvaged(path);
  t.same(incomplete, ['log_lines']);
  t.ok((saved.log_lines ?? 0) > 4900, `${saved.log_lines} of 5000 lines`);
});

t.test('runs between two damaged pages are found by their ids', async (t) => {
  const path = join(t.testdir(), 'history.db');
  const store = open(path);
  store.close();
  const db = new Database(path);
  const addRun = db.prepare(
    `INSERT INTO runs (id, path, host, device, inode, name) VALUES (@id, @id, 'h', 1, @inode, 'n')`,
  );
  const addStep = db.prepare(
    `INSERT INTO steps (run, attempt, epoch, batch, loss, loss_over) VALUES (?, 1, 1, ?, '{}', 1)`,
  );
  db.transaction(() => {
    for (let inode = 10; inode < 60; inode++) {
      addRun.run({ id: `r_${inode}`, inode });
      for (let batch = 0; batch < 100; batch++) addStep.run(`r_${inode}`, batch);
    }
  })();
  db.close();
  for (const share of [0.1, 0.9]) damagePage(path, 'steps', share);
  const { saved } = salvaged(path);
  t.ok((saved.steps ?? 0) > 4600, `${saved.steps} of 5000 steps`);
});

t.test('a chunk that cannot be opened is not taken over, those beside it are', async (t) => {
  const path = join(t.testdir(), 'history.db');
  makeDatabase(path);
  const db = new Database(path);
  db.exec(`UPDATE raw_chunks SET body = randomblob(1000) WHERE id = 5`);
  db.close();
  const { saved, incomplete } = salvaged(path);
  t.same(incomplete, ['raw_chunks']);
  t.equal(saved.raw_chunks, 7);
});

t.test('what belongs to a run that is lost goes with it', async (t) => {
  const path = join(t.testdir(), 'history.db');
  makeDatabase(path);
  damagePage(path, 'runs', 0);
  const { saved, incomplete } = salvaged(path);
  t.same(incomplete, ['runs']);
  t.match(saved, { runs: 0, attempts: 0, epochs: 0, raw_chunks: 8 });
});

t.test('a database of an earlier version is brought up to date on the way', async (t) => {
  const path = join(t.testdir(), 'history.db');
  const fixture = join(import.meta.dirname, '../fixtures/databases/schema-3.db.gz');
  writeFileSync(path, gunzipSync(readFileSync(fixture)));
  damagePage(path, 'events', 0);
  const { saved, incomplete } = salvaged(path);
  t.same(incomplete, ['events']);
  t.match(saved, { runs: 2, epochs: 8, steps: 12, gpu_samples: 32, raw_chunks: 0 });
});

t.test('what is still in its log is saved too, and the log is set aside', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'history.db');
  makeDatabase(path, { epochs: 10 });
  const db = new Database(path);
  db.pragma('wal_autocheckpoint = 0');
  db.exec(`INSERT INTO log_lines (run, source, line) SELECT id, 'console', 'the last word' FROM runs`);
  const copy = join(folder, 'copy.db');
  for (const suffix of ['', '-wal']) writeFileSync(`${copy}${suffix}`, readFileSync(`${path}${suffix}`));
  db.close();
  damageEpochsOf(copy);
  const log = readFileSync(`${copy}-wal`);
  const { setAside, saved } = salvaged(copy);
  t.equal(saved.log_lines, 1);
  t.same(readFileSync(`${setAside}-wal`), log);
  t.notOk(existsSync(`${copy}-wal`));
});

/** Without opening it, which would take its log in. */
const damageEpochsOf = (path: string) => overwrite(path, 4096 * 8, 4096);

t.test('one whose very schema is damaged is set aside all the same', async (t) => {
  const path = join(t.testdir(), 'history.db');
  makeDatabase(path, { epochs: 10 });
  overwrite(path, 100, 3000);
  const { setAside, saved } = salvaged(path);
  t.ok(existsSync(setAside));
  t.equal(saved.runs, 0);
  open(path).close();
  overwrite(path, 100, 3000);
  t.equal(salvaged(path).setAside, `${setAside}-2`, 'and an earlier one is not overwritten');
});

t.test('who opens a damaged database goes on with what was saved, and it is said in one line', async (t) => {
  const path = join(t.testdir(), 'history.db');
  const { run } = makeDatabase(path, { epochs: 10 });
  // The hot samples are read at every start.
  damagePage(path, 'gpu_samples', 0);
  const said: object[] = [];
  const log = {
    info: () => {},
    warn: () => {},
    error: (facts: object, message: string) => said.push({ ...facts, message }),
  };
  const store = openStore({ path, migrations: MIGRATIONS, log });
  t.equal(store.rowsOf(run).length, 10);
  t.equal(said.length, 1);
  t.match(said[0], {
    path,
    incomplete: ['gpu_samples'],
    saved: { epochs: 10 },
    setAside: /history\.db\.damaged-\d{8}-\d{6}$/,
  });
  store.close();
  const again = openStore({ path, migrations: MIGRATIONS, log });
  again.close();
  t.equal(said.length, 1, 'once');
});
