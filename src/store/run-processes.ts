import type { Store } from '../core/ports.ts';
import type { RunProcess } from '../core/run-process.ts';

/** The processes that runs have now, in memory: what was true of them before is in their samples. */
export type RunProcesses = Pick<Store, 'setRunProcesses' | 'listRunProcesses'>;

export const createRunProcesses = (): RunProcesses => {
  let known: ReadonlyMap<string, readonly RunProcess[]> = new Map();
  return {
    setRunProcesses: (processes) => {
      known = processes;
    },
    listRunProcesses: (run) => known.get(run) ?? null,
  };
};
