import { useMemo } from 'preact/hooks';
import type { Run } from '../../../src/core/run.ts';
import { useDashboard } from '../context.ts';
import { uniqueNames } from '../model/unique-names.ts';

/** What to call each run, by id: the shortest end of its path that is unique among all runs that are known. */
export const useRunNames = (): ((run: string) => string) => {
  const runs = useDashboard((state) => state.runs);
  const names = useMemo(() => namesOf([...runs.values()]), [runs]);
  return (run) => names.get(run) ?? run;
};

const namesOf = (runs: readonly Run[]): ReadonlyMap<string, string> => {
  const byPath = uniqueNames(runs.map((run) => run.path));
  return new Map(runs.map((run) => [run.id, byPath.get(run.path) ?? run.name]));
};
