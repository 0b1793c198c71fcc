import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createResultsParser } from '../../src/collectors/results/parser.ts';
import { parseArgs, withHyperparameters } from '../../src/collectors/run/args-yaml.ts';

/** Where the recordings lie, beside the checkout. */
export const FOLDER = '../shared/fixtures/results';

/** The lines of a table with tabs, without its header. */
export const linesOf = (name: string): readonly (readonly string[])[] =>
  readFileSync(join(FOLDER, name), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));

/** A result file, whole. */
export const parse = (file: string) => {
  const parser = createResultsParser();
  const { rows } = parser.push(readFileSync(join(FOLDER, file)));
  return { rows, keptOut: parser.rowsKeptOut(), epochsPlanned: parser.epochsPlanned() };
};

/** The arguments beside a result file; null where there are none. */
export const argsOf = (file: string): Readonly<Record<string, unknown>> | null => {
  const read = (kind: string) => {
    const path = join(FOLDER, file.replace(/(csv|txt)$/, `${kind}.yaml`));
    return existsSync(path) ? parseArgs(readFileSync(path, 'utf8')).args : null;
  };
  const opt = read('opt');
  return opt ? withHyperparameters(opt, read('hyp')) : read('args');
};
