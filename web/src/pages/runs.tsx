import { useMemo } from 'preact/hooks';
import type { Run } from '../../../src/core/run.ts';
import { useDashboard, useSession } from '../context.ts';
import { STATE_LOOKS } from '../model/run-state.ts';
import { FiringStrip } from '../parts/firing-strip.tsx';
import { GpuStrip } from '../parts/gpu-strip.tsx';
import { More } from '../parts/more.tsx';
import { LoadNotice } from '../parts/notice.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { RunCard } from '../parts/run-card.tsx';
import { useRunNames } from '../parts/run-names.ts';
import { RunTable } from '../parts/run-table.tsx';
import { useLoad } from '../state/load.ts';
import { text } from '../text.ts';
import { NoRuns } from './no-runs.tsx';

/** Everything at a glance: what burns, the GPUs, the active runs, then all others. */
export const RunsPage = () => {
  const session = useSession();
  const generation = useDashboard((state) => state.generation);
  const runs = useDashboard((state) => state.runs);
  const nameOf = useRunNames();
  const first = useLoad(() => session.loadRuns(), [session, generation]);
  const [active, others] = useMemo(() => split(runs), [runs]);

  return (
    <>
      <PageTitle title={text.runs.title} />
      <FiringStrip />
      <GpuStrip />
      {runs.size === 0 && first.state === 'loaded' && <NoRuns />}
      {runs.size > 0 && (
        <section>
          <h2>{text.runs.active}</h2>
          {active.length === 0 && <p class="soft">{text.runs.noneActive}</p>}
          <div class="cards">
            {active.map((run) => (
              <RunCard key={run.id} run={run} name={nameOf(run.id)} />
            ))}
          </div>
        </section>
      )}
      {others.length > 0 && (
        <section>
          <h2>{text.runs.others}</h2>
          <RunTable runs={others} nameOf={nameOf} />
          {first.state === 'loaded' && <More key={generation} from={first.value} load={session.loadRuns} />}
        </section>
      )}
      <LoadNotice loading={first} />
    </>
  );
};

const split = (runs: ReadonlyMap<string, Run>): readonly [readonly Run[], readonly Run[]] => {
  const newestFirst = [...runs.values()].sort((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0));
  const isActive = (run: Run) => STATE_LOOKS[run.state].active;
  return [newestFirst.filter(isActive), newestFirst.filter((run) => !isActive(run))];
};
