import { RESULT_FILES } from '../run/files.ts';

/** More than anybody keeps beside a run; a folder of thousands of label files costs no more than this. */
const MAX_CANDIDATES = 16;

const MAY_BE_LOG = /\.(?:log|txt)$/i;
const IS_NO_LOG = /^(?:requirements.*|labels|classes|names|readme.*|license.*|train|val|test|autosplit_.*)\.txt$/i;
const RESULTS: readonly string[] = RESULT_FILES;

/** The files of a run folder that may be its console logs, by their names; logs before texts. */
export const logCandidates = (names: readonly string[]): readonly string[] =>
  names
    .filter((name) => MAY_BE_LOG.test(name) && !IS_NO_LOG.test(name) && !RESULTS.includes(name))
    .toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .slice(0, MAX_CANDIDATES);

const rank = (name: string): number => (name.toLowerCase().endsWith('.log') ? 0 : 1);
