import { useMemo } from 'preact/hooks';
import type { Run } from '../../../src/core/run.ts';
import { useDashboard, useSession } from '../context.ts';
import { byUrgency } from '../model/alert-order.ts';
import { AlertItem } from '../parts/alert-item.tsx';
import { FiringStrip } from '../parts/firing-strip.tsx';
import { LoadNotice } from '../parts/notice.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { useRunNames } from '../parts/run-names.ts';
import { StateBadge } from '../parts/state-badge.tsx';
import { useLoad } from '../state/load.ts';
import { useRows } from '../state/use-rows.ts';
import { text } from '../text.ts';
import { AttemptTable } from './run-attempts.tsx';
import { RunCharts } from './run-charts.tsx';
import { RunFacts } from './run-facts.tsx';
import { RunGpus } from './run-gpus.tsx';

/** One run: how it stands, its charts with what the rules found in them, and its GPU. */
export const RunPage = ({ id }: { readonly id: string }) => {
  const session = useSession();
  const generation = useDashboard((state) => state.generation);
  const run = useDashboard((state) => state.runs.get(id));
  const loading = useLoad(() => session.loadRun(id), [session, id, generation]);
  if (run) return <KnownRun run={run} />;
  const unknown = loading.state === 'failed' && loading.error.status === 404;
  return (
    <>
      <PageTitle title={text.nav.runs} />
      {unknown ? <p>{text.run.unknown}</p> : <LoadNotice loading={loading} />}
    </>
  );
};

const KnownRun = ({ run }: { readonly run: Run }) => {
  const session = useSession();
  const generation = useDashboard((state) => state.generation);
  const nameOf = useRunNames();
  const { rows, attempts, loading: rowsLoaded } = useRows(run);
  const allAlerts = useDashboard((state) => state.alerts);
  const alertsLoaded = useLoad(() => session.loadAlerts({ run: run.id }), [session, run.id, generation]);

  const alerts = useMemo(
    () => [...allAlerts.values()].filter((alert) => alert.run === run.id).sort(byUrgency),
    [allAlerts, run.id],
  );

  return (
    <>
      <PageTitle title={nameOf(run.id)}>
        <StateBadge run={run} />
      </PageTitle>
      <FiringStrip run={run.id} />
      <RunFacts run={run} name={nameOf(run.id)} />
      <section>
        <h2>{text.run.training}</h2>
        {rows.length > 0 ? (
          <RunCharts run={run.id} rows={rows} alerts={alerts} />
        ) : (
          rowsLoaded.state === 'loaded' && <p class="soft">{text.run.noRows}</p>
        )}
        <LoadNotice loading={rowsLoaded} />
      </section>
      <section>
        <h2>{text.run.alerts}</h2>
        {alerts.map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
        {alerts.length === 0 && alertsLoaded.state === 'loaded' && <p class="soft">{text.run.noAlerts}</p>}
        <LoadNotice loading={alertsLoaded} />
      </section>
      {attempts.length > 1 && (
        <section>
          <h2>{text.run.attempts}</h2>
          <AttemptTable attempts={attempts} />
        </section>
      )}
      <RunGpus run={run} alerts={alerts} />
    </>
  );
};
