import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { runDb } from '../../src/db/command.ts';
import { type RequestFlags, readRequest } from '../../src/db/request.ts';
import { generalHelp } from '../../src/help.ts';
import { damagePage, makeDatabase, START } from '../store/damaged.ts';
import { MIGRATIONS, open, T0 } from '../store/open-store.ts';

const HOUR = 3_600_000;
const MAIN = join(import.meta.dirname, '../../src/main.ts');
const { INIT_CWD: _, SIGNALBOX_DB: __, ...ENVIRONMENT } = process.env;

/** As `main` calls it; what it prints, and whether all is well. */
const db = async (path: string, words: string, flags: RequestFlags = {}) => {
  const stdout = new PassThrough();
  const progress: string[] = [];
  const request = readRequest(words.split(' '), flags, join(path, '..'));
  const printed = text(stdout);
  const isWell = await runDb({
    ...{ request, db: path, migrations: MIGRATIONS, now: T0, stdout },
    writeProgress: (line) => progress.push(line),
  });
  stdout.end();
  return { text: await printed, isWell, progress };
};

const make = (t: Test, options?: Parameters<typeof makeDatabase>[1]) => {
  const path = join(t.testdir(), 'history.db');
  return { path, ...makeDatabase(path, { epochs: 20, hours: 3, ...options }) };
};

t.test('info says what is in a database, tier by tier, also while a service writes it', async (t) => {
  const { path } = make(t);
  const store = open(path);
  t.teardown(store.close);
  const { text, isWell } = await db(path, 'info');
  t.equal(isWell, true);
  t.match(text, /schema \d+\n/);
  t.match(text, /^samples, not sealed yet {2}2 {7}/m);
  t.match(text, /^samples, sealed {10}10,800 /m);
  t.match(text, /^60 s rollups +none$/m);
  t.match(text, /^Runs +1: 1 starting$/m);
  t.match(text, /20 epochs/);
  t.match(JSON.parse((await db(path, 'info', { format: 'json' })).text), {
    path,
    tiers: { raw: { rows: 10_800, oldest: START, newest: START + 2 * HOUR }, '1h': { rows: 0, oldest: null } },
    rows: { epochs: 20 },
  });
});

t.test('check opens every chunk, and names what is wrong', async (t) => {
  const { path } = make(t);
  const sound = await db(path, 'check');
  t.equal(sound.isWell, true);
  t.match(sound.text, 'is sound');
  t.ok(sound.progress.some((line) => line.includes('sealed samples')));

  const writer = new Database(path);
  writer.exec('UPDATE raw_chunks SET rows = 1 WHERE id = 1');
  writer.exec('UPDATE raw_chunks SET body = randomblob(500) WHERE id = 2');
  writer.exec('UPDATE raw_chunks SET start = start + 360000000 WHERE id = 3');
  writer.pragma('foreign_keys = OFF');
  writer.exec('DELETE FROM runs');
  writer.close();
  const { text, isWell } = await db(path, 'check');
  t.equal(isWell, false);
  t.match(text, /attempts: 1 rows whose runs are not there/);
  t.match(text, /raw_chunks 1 \(subject 1, .*Z\): it has 3600 rows and says that it has 1$/m);
  t.match(text, /raw_chunks 2 \(subject 1/);
  t.match(text, /raw_chunks 3 .*: some of its moments are not of its hour/);
  t.match(text, 'signalbox db salvage');
});

t.test('check names damaged pages', async (t) => {
  const { path } = make(t);
  damagePage(path, 'raw_chunks', 0);
  const { text, isWell } = await db(path, 'check');
  t.equal(isWell, false);
  t.match(text, /is damaged:\n {2}\S/);
});

t.test('a backup of a database that is being written is whole, a single file, and overwrites nothing', async (t) => {
  const { path, run } = make(t);
  const store = open(path);
  t.teardown(store.close);
  store.appendSamples([{ subject: 'gpu:GPU-a', at: START + 5 * HOUR, values: { power: 5 } }]);
  store.flushSamples();
  const { text, isWell } = await db(path, 'backup copy.db');
  const copy = join(path, '../copy.db');
  t.equal(isWell, true);
  t.match(text, `${copy} is a whole copy, checked.`);
  for (const suffix of ['-wal', '-shm', '.partial']) t.notOk(existsSync(`${copy}${suffix}`), suffix);
  await t.rejects(db(path, 'backup copy.db'), { name: 'StoreError', message: /copy\.db is there already/ });
  const restored = open(copy);
  t.equal(restored.rowsOf(run).length, 20);
  t.equal(restored.samplesSince('gpu:GPU-a', START + 5 * HOUR).length, 1);
  restored.close();
});

t.test('export writes all samples of a subject, sealed and hot, with every digit', async (t) => {
  const { path } = make(t);
  const { text } = await db(path, 'export gpu:0');
  const [header = '', ...lines] = text.trimEnd().split('\n');
  t.equal(lines.length, 3 * 3600 + 2);
  const names = header.split(',');
  const cells = lines.map((line) => line.split(','));
  t.same(cells.map(([, at]) => Number(at)).slice(0, 2), [START, START + 1000]);
  t.same(
    cells.slice(0, 100).map((row) => Number(row[names.indexOf('power')])),
    Array.from({ length: 100 }, (_, i) => Math.floor(Math.sin(START + i * 1000) * 100)),
  );
  t.match(cells.at(-1)?.[names.indexOf('fan')], '30', 'what is hot is there too');
  t.equal(cells[0]?.[names.indexOf('fan')], '', 'what is not known is empty');

  const range = { from: new Date(START + HOUR).toISOString(), to: String(START + HOUR + 2000) };
  const some = await db(path, 'export gpu:GPU-a', { format: 'ndjson', out: 'part.ndjson', ...range });
  t.equal(some.text, '');
  const part = join(path, '../part.ndjson');
  t.match(
    readFileSync(part, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { subject: 'gpu:GPU-a', at: START + HOUR, power: Number, fan: null },
      { subject: 'gpu:GPU-a', at: START + HOUR + 1000 },
    ],
  );
  await t.rejects(db(path, 'export gpu:GPU-a', { out: 'part.ndjson' }), { message: /part\.ndjson is there already/ });
});

t.test('export of a run has its processes, and its GPUs from its start to its end', async (t) => {
  const { path, run } = make(t);
  const store = open(path);
  const saved = store.getRun(run);
  if (!saved) return t.fail('the run is not there');
  store.saveRun({ ...saved, startedAt: START + 60_000, endedAt: START + 120_000 });
  store.addRunGpus(run, [{ subject: 'gpu:GPU-a', firstAt: null, lastAt: null }]);
  store.appendSamples([{ subject: `run:${run}`, at: START + 60_000, values: { cpu: 700 } }]);
  store.close();
  const { text } = await db(path, `export ${run}`);
  const subjects = text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[0]);
  t.same([...new Set(subjects)], [`run:${run}`, 'gpu:GPU-a']);
  t.equal(subjects.length, 1 + 60);
  await t.rejects(db(path, 'export r_nobody'), { name: 'StoreError', message: /"r_nobody" is no subject/ });
});

t.test('vacuum shrinks a database and lets it give space back from then on; not while a service has it', async (t) => {
  const path = join(t.testdir(), 'history.db');
  const fixture = join(import.meta.dirname, '../fixtures/databases/schema-5.db.gz');
  writeFileSync(path, gunzipSync(readFileSync(fixture)));
  const store = open(path);
  await t.rejects(db(path, 'vacuum'), { message: `${path} is already in use by process ${process.pid}` });
  store.close();
  const writer = new Database(path);
  t.equal(writer.pragma('auto_vacuum', { simple: true }), 0);
  writer.exec('CREATE TABLE large (body); INSERT INTO large VALUES (zeroblob(1000000)); DROP TABLE large');
  writer.close();
  t.match((await db(path, 'vacuum')).text, /1\.\d MiB before, \d+ KiB now/);
  const reader = new Database(path, { readonly: true });
  t.equal(reader.pragma('auto_vacuum', { simple: true }), 2);
  t.equal(reader.pragma('integrity_check', { simple: true }), 'ok');
  reader.close();
});

t.test('salvage makes a new database of a damaged one, and leaves a sound one as it is', async (t) => {
  const { path } = make(t);
  t.match((await db(path, 'salvage')).text, 'there is nothing to salvage');
  damagePage(path, 'epochs', 0);
  const { text } = await db(path, 'salvage');
  t.match(text, /is new, with \d+ rows: something is lost of epochs\.\nWhat it was made of is .*\.damaged-/);
  t.equal((await db(path, 'check')).isWell, true);
});

t.test('a database that is not there, not ours or newer is refused', async (t) => {
  const { path } = make(t);
  const folder = join(path, '..');
  writeFileSync(join(folder, 'notes.db'), 'not a database at all, but long enough to be looked at\n'.repeat(100));
  const writer = new Database(path);
  writer.pragma('user_version = 99');
  writer.close();
  for (const [name, message] of [
    ['none.db', /none\.db is not there/],
    ['notes.db', /notes\.db cannot be read: file is not a database/],
    ['history.db', /written by a newer Signalbox: its schema is 99/],
  ] as const) {
    await t.rejects(db(join(folder, name), 'info'), { name: 'StoreError', message }, name);
  }
});

t.test('what is wrong on the command line is said in one line', (t) => {
  for (const [words, flags, message] of [
    ['', {}, /the task is missing; use info, check, backup, export, vacuum, salvage|"" is not a task/],
    ['fix', {}, /"fix" is not a task; use info/],
    ['backup', {}, /the file is missing/],
    ['export', {}, /what is missing is a subject or a run/],
    ['check now', {}, /"now" is one word too many/],
    ['check', { out: 'x' }, /db check: takes no --out/],
    ['info', { format: 'csv' }, /--format: "csv" is not a format; use text or json/],
    ['export gpu:0', { from: 'yesterday' }, /--from: "yesterday" is not a moment/],
  ] as const) {
    t.throws(() => readRequest(words.split(' '), flags, '/'), { name: 'ConfigError', message }, words);
  }
  t.end();
});

t.test('as a user calls it: help, the exit code, and a reader that has enough', async (t) => {
  const { path } = make(t);
  const folder = join(path, '..');
  const call = (command: string) =>
    spawnSync('sh', ['-c', command.replace('signalbox', `"${process.execPath}" "${MAIN}"`)], {
      ...{ cwd: folder, encoding: 'utf8', env: ENVIRONMENT },
    });
  t.match(generalHelp(), /^ {2}db /m);
  t.match(call('signalbox db --help').stdout, /--out FILE/);
  const head = call('signalbox db export gpu:0 --db history.db | head -2');
  t.equal(head.stdout.split('\n').length, 3);
  t.equal(head.stderr, '');
  damagePage(path, 'epochs', 0);
  t.equal(call('signalbox db check --db history.db').status, 1);
});
