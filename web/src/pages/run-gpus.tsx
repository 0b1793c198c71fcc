import { useMemo } from 'preact/hooks';
import type { Alert } from '../../../src/core/alert.ts';
import type { Run } from '../../../src/core/run.ts';
import type { ChartMark } from '../charts/chart-marks.tsx';
import { HistoryChart } from '../charts/history-chart.tsx';
import { HistoryCharts } from '../charts/history-charts.tsx';
import { useDashboard } from '../context.ts';
import { formatBytes, formatPercent } from '../format.ts';
import { STRETCHES, type TimeRange } from '../model/time-range.ts';
import { RangeBar } from '../parts/range-bar.tsx';
import { runPath } from '../route.ts';
import { type Span, useHistory } from '../state/use-history.ts';
import { type TimeRangeChoice, useTimeRange } from '../state/use-time-range.ts';
import { text } from '../text.ts';

/** What the run's GPUs did while it ran. Nothing for a run of which no GPU is known. */
export const RunGpus = ({ run, alerts }: { readonly run: Run; readonly alerts: readonly Alert[] }) => {
  const choice = useTimeRange(null);
  const span = useMemo(() => spanOf(choice.range, run), [choice.range, run.startedAt, run.endedAt]);
  if (run.gpus.length === 0) return null;
  return (
    <>
      <RangeBar choice={choice} span={span} all={text.range.wholeRun} />
      {run.gpus.map((gpu) => (
        <RunGpu key={gpu} gpu={gpu} run={run} alerts={alerts} span={span} choice={choice} />
      ))}
    </>
  );
};

/** The last of a run that has ended is what was before its end. */
const spanOf = ({ last, zoom }: TimeRange, { startedAt, endedAt }: Run): Span => {
  if (zoom !== null) return { from: zoom[0], to: zoom[1] };
  if (last === null && startedAt !== null) return { from: startedAt, to: endedAt };
  const lastMs = STRETCHES[last ?? '1h'];
  return endedAt === null ? { lastMs } : { from: endedAt - lastMs, to: endedAt };
};

const METRICS = ['utilization', 'memoryUsed'] as const;

type Props = {
  readonly gpu: string;
  readonly run: Run;
  readonly alerts: readonly Alert[];
  readonly span: Span;
  readonly choice: TimeRangeChoice;
};

const RunGpu = ({ gpu, run, alerts, span, choice }: Props) => {
  const memoryTotal = useDashboard((state) => state.gpus?.find((known) => known.gpu === gpu)?.memoryTotal ?? null);
  const state = useHistory(gpu, METRICS, span);
  const end = state.live?.span[1] ?? null;
  const marks = useMemo(() => alerts.flatMap((alert) => markOf(run.id, alert, end)), [run.id, alerts, end]);
  return (
    <section>
      <h2>{text.run.onGpu(gpu)}</h2>
      <HistoryCharts state={state}>
        {(live) => (
          <>
            <HistoryChart
              {...live}
              title={text.gpus.utilization}
              lines={[{ metric: 'utilization', label: text.gpus.utilization }]}
              format={formatPercent}
              yRange={[0, 100]}
              choice={choice}
              sync={gpu}
              marks={marks}
            />
            <HistoryChart
              {...live}
              title={text.gpus.memory}
              lines={[{ metric: 'memoryUsed', label: text.gpus.memory }]}
              format={formatBytes}
              binary
              yRange={memoryTotal === null ? null : [0, memoryTotal]}
              choice={choice}
              sync={gpu}
              marks={marks}
            />
          </>
        )}
      </HistoryCharts>
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
