import { appendFileSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { patientAccess, promptAccess } from '../../../src/collectors/file/access.ts';
import { createResultsTailer } from '../../../src/collectors/results/tailer.ts';

const HEADER = 'epoch,time,loss\n';
const row = (epoch: number, seconds = epoch * 10) => `${epoch},${seconds},0.5\n`;
const rows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => row(from + index)).join('');

/** A result file that does not exist yet, and looks at it. */
const stage = (t: Test) => {
  const file = join(t.testdir({}), 'results.csv');
  const tailer = createResultsTailer(file);
  const look = () => tailer.look(AbortSignal.timeout(20_000));
  const epochs = async () => (await look()).rows.map(({ epoch }) => epoch);
  /** As rsync does it: a new file takes the place of the old one. */
  const replace = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  return { file, tailer, look, epochs, replace };
};

t.test('a file that is not there yet is waited for, then each row comes once', async (t) => {
  const { file, look, epochs } = stage(t);
  t.same(await look(), { results: null, rows: [] });
  writeFileSync(file, HEADER + row(1));
  t.same(await epochs(), [1]);
  t.same(await epochs(), []);
  appendFileSync(file, rows(2, 4));
  t.same(await epochs(), [2, 3, 4]);
});

t.test('a row that is still being written is not read in halves', async (t) => {
  const { file, look, epochs } = stage(t);
  writeFileSync(file, 'epoch,ti');
  t.equal((await look()).results, null);
  appendFileSync(file, 'me,loss\n1,10,0.');
  t.equal((await look()).results, null);
  appendFileSync(file, '25');
  t.same(await epochs(), []);
  appendFileSync(file, '\n2,20,0.5\n3');
  const { rows, results } = await look();
  t.same(
    rows.map(({ epoch, metrics }) => [epoch, metrics.loss]),
    [
      [1, 0.25],
      [2, 0.5],
    ],
  );
  t.equal(results?.rowsKeptOut, 0);
});

t.test('the last row is dated by the file, earlier ones by their time, and none across a resume', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, HEADER + row(1) + row(2) + row(3, 5) + row(4, 17));
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  const dates = (await look()).rows.map(({ at, atSource }) => [at, atSource]);
  const mtime = 1_700_000_000_000;
  t.same(dates, [
    [null, null],
    [null, null],
    [mtime - 12_000, 'time'],
    [mtime, 'mtime'],
  ]);
});

t.test('without a time column only the last row has a date', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, 'epoch,loss\n0,1\n1,1\n');
  const { rows, results } = await look();
  t.same(
    rows.map(({ at }) => at),
    [null, Math.floor(statSync(file).mtimeMs)],
  );
  t.equal(results?.mtimeAt, rows[1]?.at);
});

t.test('a file replaced by a longer copy of itself goes on, as under rsync', async (t) => {
  const { epochs, look, replace } = stage(t);
  replace(HEADER + rows(1, 3));
  t.same(await epochs(), [1, 2, 3]);
  replace(HEADER + rows(1, 5));
  t.same(await epochs(), [4, 5]);
  t.equal((await look()).results?.fresh, false);
});

t.test('a file replaced by another training is fresh, once', async (t) => {
  const { look, replace } = stage(t);
  replace(HEADER + rows(1, 3));
  t.equal((await look()).results?.fresh, false);
  replace(HEADER + row(1, 11));
  const { results, rows: found } = await look();
  t.equal(results?.fresh, true);
  t.same(
    found.map(({ epoch, fileAttempt }) => [epoch, fileAttempt]),
    [[1, 0]],
  );
  t.equal((await look()).results?.fresh, false);
});

t.test('a file replaced by another training that ends alike is fresh all the same', async (t) => {
  const { look, replace } = stage(t);
  replace(HEADER + row(1, 11) + rows(2, 60));
  await look();
  replace(HEADER + row(1, 12) + rows(2, 60));
  const { results, rows: found } = await look();
  t.equal(results?.fresh, true);
  t.equal(found.length, 60);
});

t.test('a file deleted and written anew by a re-run is fresh, though its header comes alone at first', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, HEADER + rows(1, 3));
  await look();
  rmSync(file);
  t.equal((await look()).results, null);
  writeFileSync(file, HEADER);
  t.equal((await look()).results, null);
  appendFileSync(file, row(1, 12));
  const { results, rows: found } = await look();
  t.equal(results?.fresh, true);
  t.same(
    found.map(({ epoch }) => epoch),
    [1],
  );
});

t.test('a file deleted and put back as it was goes on', async (t) => {
  const { file, epochs, look } = stage(t);
  writeFileSync(file, HEADER + rows(1, 3));
  await look();
  rmSync(file);
  await look();
  writeFileSync(file, HEADER + rows(1, 4));
  t.same(await epochs(), [4]);
});

t.test('a file that YOLOv7 shortened on its resume is read again and not taken for a re-run', async (t) => {
  const { file, epochs, look } = stage(t);
  writeFileSync(file, HEADER + rows(1, 9));
  await look();
  writeFileSync(file, HEADER + rows(1, 6));
  const { results, rows: found } = await look();
  t.equal(results?.fresh, false);
  t.same(
    found.map(({ epoch }) => epoch),
    [1, 2, 3, 4, 5, 6],
  );
  appendFileSync(file, row(7));
  t.same(await epochs(), [7]);
});

t.test('a file truncated and written anew in place is fresh, even when it is already longer', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, HEADER + rows(1, 2));
  await look();
  truncateSync(file);
  writeFileSync(file, HEADER + row(1, 7) + row(2, 14) + row(3, 21));
  const { results, rows: found } = await look();
  t.equal(results?.fresh, true);
  t.same(
    found.map(({ elapsedS }) => elapsedS),
    [7, 14, 21],
  );
});

t.test('what got lost is said again, whether it was fresh included', async (t) => {
  const { tailer, epochs, look, replace } = stage(t);
  replace(HEADER + rows(1, 2));
  await look();
  replace(HEADER + row(1, 3));
  t.equal((await look()).results?.fresh, true);
  tailer.startOver();
  const again = await look();
  t.equal(again.results?.fresh, true);
  t.same(
    again.rows.map(({ epoch }) => epoch),
    [1],
  );
  t.same(await epochs(), []);
});

t.test('a look that was aborted loses nothing', async (t) => {
  const { file, tailer, epochs, look } = stage(t);
  writeFileSync(file, HEADER + row(1));
  await look();
  appendFileSync(file, row(2));
  await t.rejects(tailer.look(AbortSignal.abort()));
  t.same(await epochs(), [1, 2]);
});

t.test('a huge file comes whole and dated with one look, and others get their turn meanwhile', async (t) => {
  for (const access of [patientAccess, promptAccess]) {
    const { file, tailer } = stage(t);
    const last = 300_000;
    writeFileSync(file, `epoch,time,loss\n${rows(1, last)}`);
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    const found = await tailer.look(AbortSignal.timeout(20_000), access);
    clearInterval(count);
    t.equal(found.rows.length, last);
    t.match(found.rows[0], { epoch: 1, at: 1_700_000_000_000 - (last - 1) * 10_000 });
    t.match(found.rows.at(-1), { epoch: last, at: 1_700_000_000_000 });
    t.ok(turns > 5, `${turns} turns`);
    t.same((await tailer.look(AbortSignal.timeout(20_000), access)).rows, []);
  }
});
