// Prints what the product says of every recording that is not ours to publish, beside what people wrote down of it:
// `npm run corpus`. Exits with 1 when they differ and nobody has written down why. The recordings lie beside the
// checkout, or nowhere: then there is nothing to print.
import { existsSync } from 'node:fs';
import { FOLDER } from '../test/corpus/recordings.ts';
import { COLUMNS, corpusTable, type Line, type Says } from '../test/corpus/table.ts';

const HEADS: Readonly<Record<keyof Says, string>> = {
  family: 'family',
  task: 'task',
  framework: 'framework',
  base: 'from',
  rows: 'rows',
  keptOut: 'kept out',
  attempts: 'attempts',
  state: 'state',
  reason: 'reason',
  best: 'best',
};

/** As the manifest says; otherwise, and it is known why; otherwise. */
const MARKS = { same: ' ', better: '+', wrong: '!' } as const;

const markOf = ({ differences }: Line): keyof typeof MARKS => {
  if (differences.length === 0) return 'same';
  return differences.every(({ because }) => because !== null) ? 'better' : 'wrong';
};

const cellsOf = (line: Line): readonly string[] => {
  const { recorded, ours } = line;
  const [clause = ''] = recorded.notes.split('; ', 1);
  const labels = recorded.labels.length > 0 ? ` [${[...new Set(recorded.labels)].join(', ')}]` : '';
  return [recorded.number, ...COLUMNS.map((column) => ours[column] ?? '-'), MARKS[markOf(line)], clause + labels];
};

const inColumns = (lines: readonly (readonly string[])[]): readonly string[] => {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

const inWords = (line: Line): string => {
  const { recorded, differences } = line;
  const columns = differences.map(
    ({ column, ours, manifest }) => `${HEADS[column]} ${ours ?? '-'} (manifest: ${manifest ?? '-'})`,
  );
  const why = markOf(line) === 'better' ? differences[0]?.because : 'nobody has written down why';
  return `${MARKS[markOf(line)]} ${recorded.number}: ${columns.join(', ')}: ${why}`;
};

if (!existsSync(FOLDER)) {
  console.log(`corpus: there are no recordings in ${FOLDER}; nothing to show`);
  process.exit(0);
}
const table = (await corpusTable()).toSorted((a, b) => (a.recorded.number < b.recorded.number ? -1 : 1));
const head = ['file', ...COLUMNS.map((column) => HEADS[column]), MARKS.same, 'manifest [labels]'];
const marks = table.map(markOf);
const count = (mark: keyof typeof MARKS) => marks.filter((found) => found === mark).length;
for (const line of inColumns([head, ...table.map(cellsOf)])) console.log(line);
console.log();
for (const line of table) if (line.differences.length > 0) console.log(inWords(line));
console.log(
  `\n${table.length} recordings: ${count('same')} as the manifest says, ${count('better')} known better, ` +
    `${count('wrong')} wrong`,
);
process.exitCode = count('wrong') > 0 ? 1 : 0;
