// What stands in every one of the real result files, by the table that people made of them. They may not be copied, so
// they are read where they lie, beside the checkout; `npm run test:corpus` runs this where they are there.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ParsedRow } from '../../src/collectors/results/parser.ts';
import { createResultsTailer } from '../../src/collectors/results/tailer.ts';
import { runFamily } from '../../src/core/run-family.ts';
import { readManifest } from './manifest.ts';
import { argsOf, FOLDER, parse } from './recordings.ts';

const MANIFEST = readManifest();

t.test('every row of every result file is in its series, and nothing that is no row', async (t) => {
  t.equal(MANIFEST.length, 59);
  for (const { file, rows: count, keptOut, hasTime } of MANIFEST) {
    const { rows, keptOut: found } = parse(file);
    t.same({ rows: rows.length, keptOut: found }, { rows: count, keptOut }, file);
    t.ok(
      rows.every(({ elapsedS }) => (elapsedS !== null) === hasTime),
      `${file}: time`,
    );
  }
});

t.test(
  'two trainings in one file are two attempts, at the row where the second begins; no other file has two',
  async (t) => {
    for (const { file, restarts } of MANIFEST) {
      const { rows } = parse(file);
      const begins = rows.flatMap(({ fileAttempt, fileAttemptKind }, index) =>
        index > 0 && fileAttempt !== rows[index - 1]?.fileAttempt ? [[index + 1, fileAttemptKind]] : [],
      );
      t.same(
        begins,
        restarts.map((row) => [row, 'rerun']),
        file,
      );
    }
  },
);

/** `val/cls_loss: 3 rows` for every column with values that are not finite, as the manifest says it. */
const notFinite = (rows: readonly ParsedRow[]): readonly string[] => {
  const counts = new Map<string, number>();
  for (const { nonFinite = {} } of rows) {
    for (const column of Object.keys(nonFinite)) counts.set(column, (counts.get(column) ?? 0) + 1);
  }
  return [...counts].map(([column, count]) => `${column}: ${count}`).sort();
};

t.test('NaN and infinity are kept as such, in as many rows as there are', async (t) => {
  for (const { file, notes } of MANIFEST) {
    const wanted = [...notes.matchAll(/non-finite (\S+): (?:(\d+) rows|\S+@)/g)];
    const { rows } = parse(file);
    t.same(notFinite(rows), wanted.map(([, column, count = '1']) => `${column}: ${count}`).sort(), file);
  }
});

t.test('the losses of every row of a results.txt add up to its total, and its epochs go to the last', async (t) => {
  const files = MANIFEST.filter(({ file }) => file.endsWith('.txt'));
  t.equal(files.length, 6);
  for (const { file, notes } of files) {
    const { rows, epochsPlanned } = parse(file);
    for (const { epoch, metrics } of rows) {
      const parts = Object.entries(metrics).filter(([column]) => column.startsWith('train/'));
      const sum = parts.reduce((total, [, value]) => total + Number(value), 0);
      const { total } = metrics;
      if (Math.abs(sum - Number(total)) > 1e-3 * sum) t.fail(`${file}, epoch ${epoch}: ${sum} is not ${total}`);
      for (const [column, value] of Object.entries(metrics)) {
        if (column.startsWith('metrics/') && (value === null || value < 0 || value > 1)) t.fail(`${file} ${column}`);
      }
    }
    t.equal(epochsPlanned, Number(/\.\.\d+\/(\d+)/.exec(notes)?.[1]) + 1, file);
    t.equal(epochsPlanned, argsOf(file)?.epochs, `${file}: as its arguments say`);
  }
});

t.test('every file is known for whose it is by its columns alone', async (t) => {
  for (const { file, kind, hasTime } of MANIFEST) {
    const [first] = parse(file).rows;
    const columns = Object.keys(first?.metrics ?? {});
    const { family } = runFamily({
      columns,
      hasTime,
      firstEpoch: first?.epoch ?? null,
      args: null,
      path: '/data/exp',
    });
    t.equal(family, kind.split(' ')[0], file);
  }
});

t.test(
  'a file that grew while it was recorded comes row by row, in place and replaced, as the last recording has it',
  async (t) => {
    const files = ['107', '108', '109', '110'].map(
      (number) => MANIFEST.find((entry) => entry.number === number)?.file ?? '',
    );
    const stages = files.map((file) => readFileSync(join(FOLDER, file)));
    const wanted = parse(files.at(-1) ?? '').rows.map(({ epoch, elapsedS, metrics }) => ({ epoch, elapsedS, metrics }));
    for (const how of ['in place', 'replaced']) {
      const path = join(t.testdir({}), 'results.csv');
      const tailer = createResultsTailer(path);
      const rows: Pick<ParsedRow, 'epoch' | 'elapsedS' | 'metrics'>[] = [];
      let length = 0;
      for (const bytes of stages) {
        if (how === 'in place') appendFileSync(path, bytes.subarray(length));
        else {
          writeFileSync(`${path}.new`, bytes);
          renameSync(`${path}.new`, path);
        }
        length = bytes.length;
        const look = await tailer.look(AbortSignal.timeout(10_000));
        t.equal(look.results?.fresh, false);
        rows.push(...look.rows.map(({ epoch, elapsedS, metrics }) => ({ epoch, elapsedS, metrics })));
      }
      t.same(rows, wanted, how);
    }
  },
);
