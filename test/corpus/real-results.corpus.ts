// Real result files of other people's trainings. They may not be copied, so they are read where they lie, beside the
// checkout; `npm run test:corpus` runs this where they are there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseArgs } from '../../src/collectors/args-yaml.ts';
import { createResultsParser } from '../../src/collectors/results-parser.ts';
import { dateRows } from '../../src/collectors/results-times.ts';
import type { EpochRow } from '../../src/core/run.ts';
import { createEngine } from '../../src/rules/engine.ts';
import { RULES } from '../../src/rules/registry.ts';
import type { RunContext } from '../../src/rules/rule.ts';

const FOLDER = '../shared/fixtures/results';
const ENDED_AT = 1_757_427_471_000;

/** The lines of a table with tabs, without its header. */
const linesOf = (name: string): readonly (readonly string[])[] =>
  readFileSync(join(FOLDER, name), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));

const parse = (file: string) => {
  const parser = createResultsParser();
  const { rows } = parser.push(readFileSync(join(FOLDER, file)));
  return { rows, keptOut: parser.rowsKeptOut() };
};

const rowsOf = (file: string): readonly EpochRow[] =>
  dateRows(parse(file).rows, ENDED_AT).map(({ fileAttempt, fileAttemptKind: _, ...row }) => ({
    ...row,
    attempt: fileAttempt + 1,
    runElapsedS: row.elapsedS,
  }));

const contextOf = (file: string, rows: readonly EpochRow[]): RunContext => {
  const paths = ['args', 'opt'].map((kind) => join(FOLDER, file.replace(/csv$/, `${kind}.yaml`)));
  const path = paths.find((candidate) => existsSync(candidate));
  const { args } = path === undefined ? { args: null } : parseArgs(readFileSync(path, 'utf8'));
  const epochs = args?.epochs;
  return {
    id: file,
    name: file,
    epochsPlanned: typeof epochs === 'number' ? epochs : null,
    epochBase: rows[0]?.epoch === 0 ? 0 : 1,
    args,
  };
};

/** Lines that are no rows, by the number of the file (labels.tsv says what they are). */
const KEPT_OUT: Readonly<Record<string, { rows: number; keptOut: number }>> = {
  '014': { rows: 2500, keptOut: 2501 },
  '015': { rows: 100, keptOut: 1 },
  '069': { rows: 2, keptOut: 1 },
};

t.test('every row of every result file is in its series, and nothing that is no row', async (t) => {
  const files = linesOf('manifest.tsv').filter(([file]) => file?.endsWith('.csv'));
  t.ok(files.length > 30, `${files.length} files`);
  for (const [file = '', , , , , , count] of files) {
    const { rows, keptOut } = parse(file);
    t.same({ rows: rows.length, keptOut }, KEPT_OUT[file.slice(0, 3)] ?? { rows: Number(count), keptOut: 0 }, file);
  }
});

t.test('a training in which a person finds nothing raises no warning', async (t) => {
  const clean = linesOf('labels.tsv').flatMap(([file = '', , anomaly]) => (anomaly === 'clean' ? file : []));
  t.equal(clean.length, 4);
  for (const file of clean) {
    let ids = 0;
    const onError = (rule: string, subject: string, cause: unknown) => {
      throw new Error(`${rule} on ${subject}`, { cause });
    };
    const engine = createEngine({ rules: RULES, newId: () => `a${++ids}`, onError });
    const rows = rowsOf(file);
    const alerts = engine.backfill(contextOf(file, rows), rows, ENDED_AT);
    t.same(
      alerts
        .filter(({ severity }) => severity !== 'info')
        .map(({ rule, epochs, problem }) => ({ rule, epochs, problem })),
      [],
      file,
    );
  }
});
