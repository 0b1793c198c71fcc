import type { Alert } from './core/alert.ts';
import type { Clock } from './core/clock.ts';
import type { Store } from './core/ports.ts';
import type { Run } from './core/run.ts';
import type { Engine } from './rules/engine.ts';
import type { RunContext } from './rules/rule.ts';

/** Judges runs that had ended when they were first seen: years of them may come in at once. */
export type OldRuns = {
  /** Judges some rows more of one run, some milliseconds' work; false: there is nothing left to judge. */
  readonly judge: () => boolean;
};

/** `contextOf`: what rules may know of a run. */
export const createOldRuns = ({
  store,
  engine,
  clock,
  contextOf,
}: {
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly contextOf: (run: Run) => RunContext;
}): OldRuns => {
  let current: { readonly id: string; readonly judging: Generator<undefined, readonly Alert[]> } | null = null;

  const next = (): typeof current => {
    const id = store.nextPutOff();
    const run = id === null ? undefined : store.getRun(id);
    if (run === undefined) return null;
    return { id: run.id, judging: engine.backfill(contextOf(run), store.rowsOf(run.id), run.endedAt ?? clock.now()) };
  };

  return {
    judge: () => {
      const run = current ?? next();
      if (run === null) return false;
      // Given up when this throws: then it is judged from its beginning.
      current = null;
      const turn = run.judging.next();
      if (turn.done !== true) {
        current = run;
        return true;
      }
      store.transaction(() => {
        // It began again meanwhile: then its rows have been judged as those of a living run.
        if (store.endPutOff(run.id)) store.saveAlerts(turn.value);
      });
      return true;
    },
  };
};
