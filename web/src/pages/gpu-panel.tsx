import type { Gpu, GpuProcess } from '../../../src/core/sample.ts';
import { HistoryChart } from '../charts/history-chart.tsx';
import { HistoryCharts } from '../charts/history-charts.tsx';
import { useNow } from '../context.ts';
import { formatBytes, formatDuration, formatPercent, formatUnit, UNKNOWN } from '../format.ts';
import { useLatestGpuSample } from '../parts/devices.ts';
import { Facts } from '../parts/facts.tsx';
import { gpuTexts, slowedBy } from '../parts/gpu-values.ts';
import { Link } from '../parts/link.tsx';
import { useRunNames } from '../parts/run-names.ts';
import { runPath } from '../route.ts';
import { type Span, useHistory } from '../state/use-history.ts';
import type { TimeRangeChoice } from '../state/use-time-range.ts';
import { text } from '../text.ts';

/** A sample older than this, in milliseconds, is not "now" any more. */
const STALE_MS = 15_000;
const METRICS = ['utilization', 'memoryUsed', 'power', 'temperature'] as const;

type Props = { readonly gpu: Gpu; readonly span: Span; readonly choice: TimeRangeChoice };

/** One GPU: its latest values, who uses it, and how it was. */
export const GpuPanel = ({ gpu, span, choice }: Props) => {
  const sample = useLatestGpuSample(gpu);
  const now = useNow();
  const nameOf = useRunNames();
  const texts = gpuTexts(gpu, sample);
  const run = sample?.run ?? gpu.run;
  const age = sample === null || now === null ? 0 : now - sample.at;
  return (
    <section class="card">
      <h2>
        {gpu.gpu} <span class="soft">{gpu.name}</span>{' '}
        {age > STALE_MS && <span class="badge tone-warn">{text.gpus.seen(formatDuration(age))}</span>}
      </h2>
      <Facts
        facts={[
          { label: text.gpus.utilization, value: texts.utilization },
          { label: text.gpus.memory, value: texts.memory },
          { label: text.gpus.power, value: texts.power },
          { label: text.gpus.temperature, value: texts.temperature },
          { label: text.gpus.clocks, value: texts.clocks },
          { label: text.gpus.throttle, value: (sample && slowedBy(sample)) ?? UNKNOWN },
          {
            label: text.gpus.usedBy,
            value: run === null ? text.gpus.free : <Link to={runPath(run)}>{nameOf(run)}</Link>,
          },
        ]}
      />
      <GpuCharts gpu={gpu} span={span} choice={choice} />
      <Processes processes={gpu.processes} nameOf={nameOf} />
    </section>
  );
};

const GpuCharts = ({ gpu, span, choice }: Props) => (
  <HistoryCharts state={useHistory(gpu.gpu, METRICS, span)}>
    {(live) => {
      const shared = { ...live, choice, sync: 'now' };
      return (
        <>
          <HistoryChart
            {...shared}
            title={text.gpus.utilization}
            lines={[{ metric: 'utilization', label: text.gpus.utilization }]}
            format={formatPercent}
            yRange={[0, 100]}
          />
          <HistoryChart
            {...shared}
            title={text.gpus.memory}
            lines={[{ metric: 'memoryUsed', label: text.gpus.memory }]}
            format={formatBytes}
            binary
            yRange={gpu.memoryTotal === null ? null : [0, gpu.memoryTotal]}
          />
          <HistoryChart
            {...shared}
            title={text.gpus.power}
            lines={[{ metric: 'power', label: text.gpus.power }]}
            format={(value) => formatUnit(value, 'W')}
            yRange={gpu.powerLimit === null ? null : [0, gpu.powerLimit * 1.05]}
          />
          <HistoryChart
            {...shared}
            title={text.gpus.temperature}
            lines={[{ metric: 'temperature', label: text.gpus.temperature }]}
            format={(value) => formatUnit(value, '°C')}
          />
        </>
      );
    }}
  </HistoryCharts>
);

type ProcessesProps = {
  readonly processes: readonly GpuProcess[] | null;
  readonly nameOf: (run: string) => string;
};

const Processes = ({ processes, nameOf }: ProcessesProps) => {
  if (processes === null) return <p class="soft">{text.gpus.processesUnknown}</p>;
  if (processes.length === 0) return <p class="soft">{text.gpus.noProcesses}</p>;
  const { columns } = text.gpus;
  return (
    <table class="list">
      <caption>{text.gpus.processes}</caption>
      <thead>
        <tr>
          {Object.values(columns).map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {processes.map((process) => (
          <tr key={process.pid}>
            <th scope="row">{process.pid}</th>
            <td data-label={columns.user}>{process.user ?? UNKNOWN}</td>
            <td data-label={columns.command} class="command">
              <code>{process.command ?? UNKNOWN}</code>
            </td>
            <td data-label={columns.memory}>{formatBytes(process.memory)}</td>
            <td data-label={columns.run}>
              {process.run === null ? (
                text.gpus.notWatched
              ) : (
                <Link to={runPath(process.run)}>{nameOf(process.run)}</Link>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};
