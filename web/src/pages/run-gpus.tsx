import { useMemo } from 'preact/hooks';
import type { Alert } from '../../../src/core/alert.ts';
import type { Run } from '../../../src/core/run.ts';
import type { ChartMark } from '../charts/chart-marks.tsx';
import { HistoryChart } from '../charts/history-chart.tsx';
import { useDashboard } from '../context.ts';
import { formatBytes, formatPercent } from '../format.ts';
import { runPath } from '../route.ts';
import { useHistory } from '../state/use-history.ts';
import { text } from '../text.ts';

/** What the run's GPUs did while it ran. Nothing for a run of which no GPU is known. */
export const RunGpus = ({ run, alerts }: { readonly run: Run; readonly alerts: readonly Alert[] }) => (
  <>
    {run.gpus.map((gpu) => (
      <RunGpu key={gpu} gpu={gpu} run={run} alerts={alerts} />
    ))}
  </>
);

const METRICS = ['utilization', 'memoryUsed'] as const;

type Props = { readonly gpu: string; readonly run: Run; readonly alerts: readonly Alert[] };

const RunGpu = ({ gpu, run, alerts }: Props) => {
  const { startedAt: from, endedAt: to } = run;
  const memoryTotal = useDashboard((state) => state.gpus?.find((known) => known.gpu === gpu)?.memoryTotal ?? null);
  const span = useMemo(() => (from === null ? { lastMs: 3_600_000 } : { from, to }), [from, to]);
  const { live, problem } = useHistory(gpu, METRICS, span);
  const end = live?.span[1] ?? null;
  const marks = useMemo(() => alerts.flatMap((alert) => markOf(run.id, alert, end)), [run.id, alerts, end]);
  return (
    <section>
      <h2>{text.run.onGpu(gpu)}</h2>
      {problem !== null && <p class="soft">{text.failed(problem)}</p>}
      {live && live.history.t.length === 0 && <p class="soft">{text.chart.empty}</p>}
      {live && live.history.t.length > 0 && (
        <div class="charts">
          <HistoryChart
            title={text.gpus.utilization}
            history={live.history}
            lines={[{ metric: 'utilization', label: text.gpus.utilization }]}
            format={formatPercent}
            span={live.span}
            yRange={[0, 100]}
            sync={gpu}
            marks={marks}
          />
          <HistoryChart
            title={text.gpus.memory}
            history={live.history}
            lines={[{ metric: 'memoryUsed', label: text.gpus.memory }]}
            format={formatBytes}
            binary
            yRange={memoryTotal === null ? null : [0, memoryTotal]}
            span={live.span}
            sync={gpu}
            marks={marks}
          />
        </div>
      )}
    </section>
  );
};

/** Alerts about epochs stand on the charts of the epochs, the others here: from their start to their end, or to now. */
const markOf = (run: string, alert: Alert, end: number | null): readonly ChartMark[] =>
  alert.epochs !== null || end === null
    ? []
    : [
        {
          kind: 'alert',
          key: alert.id,
          from: alert.startedAt,
          to: alert.resolvedAt ?? end,
          severity: alert.severity,
          label: text.chart.marker(alert.title),
          evidence: runPath(run, alert.id),
        },
      ];
