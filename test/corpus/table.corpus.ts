// The table of `npm run corpus`: what the product says of every real result file, by what people wrote down of it.
import t from 'tap';
import { corpusTable, KNOWN_BETTER, type Line } from './table.ts';

const TABLE = await corpusTable();

const numbers = (lines: readonly Line[]): readonly string[] => lines.map(({ recorded }) => recorded.number).sort();
const labelled = (...kinds: readonly string[]): readonly string[] =>
  numbers(TABLE.filter(({ recorded }) => recorded.labels.some((label) => kinds.includes(label))));

t.test('every recording comes out as people wrote it down, or it is written down why not', async (t) => {
  t.equal(TABLE.length, 59);
  for (const { recorded, differences } of TABLE) {
    t.same(
      differences.filter(({ because }) => because === null),
      [],
      recorded.file,
    );
  }
});

t.test('what is written down as known better differs from the manifest, in each column of it', async (t) => {
  const better = Object.entries(KNOWN_BETTER).flatMap(([number, { because: _, ...columns }]) =>
    Object.keys(columns).map((column) => `${number} ${column}`),
  );
  const differing = TABLE.flatMap(({ recorded, differences }) =>
    differences.map(({ column }) => `${recorded.number} ${column}`),
  );
  t.same(better.sort(), differing.sort());
});

t.test('the files that a person labelled as two trainings in one are the ones with two attempts', async (t) => {
  t.same(numbers(TABLE.filter(({ ours }) => ours.attempts !== '1')), labelled('run_restart'));
});

t.test('the files that a person labelled as ragged or corrupt are the ones with rows kept out', async (t) => {
  t.same(numbers(TABLE.filter(({ ours }) => ours.keptOut !== '0')), labelled('ragged_summary_row', 'corrupt_tail'));
});
