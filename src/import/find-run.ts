import type { Run } from '../core/run.ts';

/** What a person means by RUN, or in one line why it cannot be told. */
export type FoundRun = { readonly run: Run } | { readonly problem: string };

/**
 * The run that a word means: its id, its folder, or its name. `path` is the word as a folder, absolute. `runs` are all
 * that may be meant, the newest first.
 */
export const findRun = (word: string, path: string, runs: readonly Run[]): FoundRun => {
  const exact = runs.find(({ id }) => id === word) ?? runs.find((run) => run.path === path);
  if (exact !== undefined) return { run: exact };
  const named = runs.filter(({ name }) => name === word);
  const [run] = named;
  if (run === undefined) {
    return { problem: `--run: "${word}" is no run; give the id, the name or the folder of one that serve has watched` };
  }
  if (named.length === 1) return { run };
  const paths = named.map(({ id, path }) => `\n  ${id}  ${path}`).join('');
  return { problem: `--run: ${named.length} runs are called "${word}"; give the folder or the id of one:${paths}` };
};
