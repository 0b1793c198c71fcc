import type { Host } from '../../../src/core/sample.ts';
import { HistoryChart } from '../charts/history-chart.tsx';
import { HistoryCharts } from '../charts/history-charts.tsx';
import { formatBytes, formatBytesOf, formatNumber, formatPercent, formatUnit, UNKNOWN } from '../format.ts';
import { useLatestHostSample } from '../parts/devices.ts';
import { Facts } from '../parts/facts.tsx';
import { HostParts, limitFacts } from '../parts/host-detail.tsx';
import { type Span, useHistory } from '../state/use-history.ts';
import type { TimeRangeChoice } from '../state/use-time-range.ts';
import { text } from '../text.ts';

const METRICS = ['cpu', 'cpuIowait', 'pressureIo', 'diskRead', 'diskWrite', 'netRx', 'netTx'] as const;

type Props = { readonly host: Host; readonly span: Span; readonly choice: TimeRangeChoice };

/** The host: its latest values, and how processor, disks and network were. */
export const HostPanel = ({ host, span, choice }: Props) => {
  const sample = useLatestHostSample(host);
  return (
    <section class="card">
      <h2>
        {text.host.title(host.name)} <span class="soft">{host.cpuModel}</span>
      </h2>
      <Facts
        facts={[
          { label: text.host.cpu, value: formatPercent(sample?.cpu), more: cores(host) },
          { label: text.host.maxCore, value: formatPercent(sample?.cpuMaxCore) },
          { label: text.host.iowait, value: formatPercent(sample?.cpuIowait, 1) },
          { label: text.host.pressure, value: formatPercent(sample?.pressureIo, 1) },
          {
            label: text.host.memory,
            value: formatBytesOf(sample?.memoryUsed, sample?.memoryTotal ?? host.memoryTotal),
          },
          ...limitFacts(host.detail, sample?.limitMemoryUsed, sample?.limitCpuThrottled),
          { label: text.host.swap, value: formatBytes(sample?.swapUsed) },
          { label: text.host.shm, value: formatBytesOf(sample?.shmUsed, sample?.shmTotal) },
          { label: text.host.load, value: formatNumber(sample?.loadAvg1, 3) },
          { label: text.host.latency, value: formatUnit(sample?.diskLatency, 'ms') },
          { label: text.host.diskFree, value: formatBytes(sample?.diskFree) },
          { label: text.host.temperature, value: formatUnit(sample?.temperature, '°C') },
        ]}
      />
      {host.detail !== null && <HostParts detail={host.detail} />}
      <HostCharts host={host} span={span} choice={choice} />
    </section>
  );
};

const HostCharts = ({ host, span, choice }: Props) => (
  <HistoryCharts state={useHistory(host.host, METRICS, span)}>
    {(live) => {
      const shared = { ...live, choice, sync: 'now' };
      return (
        <>
          <HistoryChart
            {...shared}
            title={text.host.processor}
            lines={[
              { metric: 'cpu', label: text.host.cpu },
              { metric: 'cpuIowait', label: text.host.iowait },
              { metric: 'pressureIo', label: text.host.pressure },
            ]}
            format={formatPercent}
            yRange={[0, 100]}
          />
          <HistoryChart
            {...shared}
            title={text.host.disk}
            lines={[
              { metric: 'diskRead', label: text.host.read },
              { metric: 'diskWrite', label: text.host.written },
            ]}
            format={rate}
            binary
          />
          <HistoryChart
            {...shared}
            title={text.host.network}
            lines={[
              { metric: 'netRx', label: text.host.received },
              { metric: 'netTx', label: text.host.sent },
            ]}
            format={rate}
            binary
          />
        </>
      );
    }}
  </HistoryCharts>
);

const rate = (value: number | null) => formatUnit(value, 'bytes/s');

/** Those that the kernel counts, which are two of a core with hyper-threading; else what was said at the start. */
const cores = ({ cpuCores, detail }: Host) => {
  const count = detail?.cores?.length ?? cpuCores;
  return count === null ? UNKNOWN : text.host.cores(formatNumber(count));
};
