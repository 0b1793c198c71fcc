import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { patientAccess, promptAccess } from '../../../src/collectors/file/access.ts';
import { createResultsTailer } from '../../../src/collectors/results/tailer.ts';

const HEADER = 'epoch,time,loss\n';
const row = (epoch: number) => `${epoch},${epoch * 10},0.5\n`;

/** A folder that every user may enter, and a tailer of a file below it that is not there yet. */
const stage = (t: Test, ...names: readonly string[]) => {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-places-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  chmodSync(root, 0o755);
  const file = join(root, ...names, 'results.csv');
  const tailer = createResultsTailer(file);
  let turn = 0;
  /** By both ways to the disk in turn. */
  const look = () => tailer.look(AbortSignal.timeout(20_000), turn++ % 2 === 0 ? patientAccess : promptAccess);
  const epochs = async () => (await look()).rows.map(({ epoch }) => epoch);
  return { root, file, folder: dirname(file), look, epochs };
};

/** Root may read everything: for as long as `act` runs the test is somebody else. */
const asNobody = async <T>(act: () => Promise<T>): Promise<T> => {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65_534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
};

t.test('a file that may not be read is an error as long as that lasts, and then it is read whole', async (t) => {
  const { file, look, epochs } = stage(t);
  writeFileSync(file, HEADER + row(1));
  t.same(await asNobody(epochs), [1]);
  chmodSync(file, 0o000);
  appendFileSync(file, row(2));
  await asNobody(async () => {
    await t.rejects(look(), { code: 'EACCES' });
    await t.rejects(look(), { code: 'EACCES' });
  });
  chmodSync(file, 0o444);
  t.same(await asNobody(epochs), [1, 2]);
  t.same(await asNobody(epochs), []);
});

t.test('a folder that may not be entered is an error, not a run without results', async (t) => {
  const { folder, file, look, epochs } = stage(t, 'exp');
  mkdirSync(folder);
  writeFileSync(file, HEADER + row(1));
  chmodSync(folder, 0o600);
  await asNobody(() => t.rejects(look(), { code: 'EACCES' }));
  chmodSync(folder, 0o755);
  t.same(await asNobody(epochs), [1]);
});

t.test('a folder that cannot be written to is read like any other', async (t) => {
  const { folder, file, epochs } = stage(t, 'exp');
  mkdirSync(folder);
  writeFileSync(file, HEADER + row(1));
  chmodSync(file, 0o444);
  chmodSync(folder, 0o555);
  t.same(await asNobody(epochs), [1]);
  chmodSync(folder, 0o755);
});

t.test('two levels of folders that are not there yet are waited for', async (t) => {
  const { root, folder, file, look, epochs } = stage(t, 'runs', 'exp');
  t.same(await look(), { results: null, rows: [] });
  mkdirSync(join(root, 'runs'));
  t.same(await look(), { results: null, rows: [] });
  mkdirSync(folder);
  writeFileSync(file, HEADER + row(1));
  t.same(await epochs(), [1]);
});

t.test('a file where a folder should be is no folder', async (t) => {
  const { root, look } = stage(t, 'runs', 'exp');
  writeFileSync(join(root, 'runs'), '');
  t.same(await look(), { results: null, rows: [] });
});

t.test('a folder that is moved away and back loses nothing and says nothing twice', async (t) => {
  const { folder, file, look, epochs } = stage(t, 'exp');
  mkdirSync(folder);
  writeFileSync(file, HEADER + row(1));
  t.same(await epochs(), [1]);
  renameSync(folder, `${folder}.away`);
  t.equal((await look()).results, null);
  appendFileSync(join(`${folder}.away`, 'results.csv'), row(2));
  renameSync(`${folder}.away`, folder);
  t.same(await epochs(), [2]);
});

t.test('a link to a result file is followed, also when it is turned to another one', async (t) => {
  const { root, file, look, epochs } = stage(t);
  writeFileSync(join(root, 'old.csv'), HEADER + row(1));
  writeFileSync(join(root, 'new.csv'), HEADER + row(5));
  symlinkSync('old.csv', file);
  t.same(await epochs(), [1]);
  appendFileSync(join(root, 'old.csv'), row(2));
  t.same(await epochs(), [2]);
  unlinkSync(file);
  symlinkSync('new.csv', file);
  const { results, rows } = await look();
  t.equal(results?.fresh, true);
  t.match(rows, [{ epoch: 5 }]);
  unlinkSync(file);
  symlinkSync('nowhere.csv', file);
  t.same(await look(), { results: null, rows: [] }, 'a link to nothing');
});

t.test('a pipe that takes the place of the file is not waited for', async (t) => {
  const { file, look, epochs } = stage(t);
  writeFileSync(file, HEADER + row(1));
  t.same(await epochs(), [1]);
  rmSync(file);
  execFileSync('mkfifo', [file]);
  t.same(await look(), { results: null, rows: [] });
  t.same(await look(), { results: null, rows: [] });
  rmSync(file);
  writeFileSync(file, HEADER + row(1) + row(2));
  t.same(await epochs(), [2]);
});
