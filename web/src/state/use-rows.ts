import { useMemo } from 'preact/hooks';
import type { Attempt, EpochRow, Run } from '../../../src/core/run.ts';
import { useDashboard, useSession } from '../context.ts';
import { currentRows } from '../model/epoch-rows.ts';
import { type Loading, useLoad } from './load.ts';

const NONE: readonly Attempt[] = [];

/** The rows of a run as its training stands now, with its attempts; grows with the stream. */
export const useRows = (
  run: Run,
): {
  readonly rows: readonly EpochRow[];
  readonly attempts: readonly Attempt[];
  readonly loading: Loading<unknown>;
} => {
  const session = useSession();
  const generation = useDashboard((state) => state.generation);
  const all = useDashboard((state) => state.epochs.get(run.id));
  const loading = useLoad(() => session.loadRows(run.id), [session, run.id, generation]);
  const asked = useLoad(
    async () => (await session.attempts(run.id)).items,
    [session, run.id, generation, run.attempts],
  );
  const attempts = asked.state === 'loaded' ? asked.value : NONE;
  const rows = useMemo(() => currentRows(all ?? [], attempts), [all, attempts]);
  return { rows, attempts, loading };
};
