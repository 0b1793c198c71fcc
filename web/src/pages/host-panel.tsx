import { useMemo } from 'preact/hooks';
import type { Host } from '../../../src/core/sample.ts';
import { HistoryChart } from '../charts/history-chart.tsx';
import { formatBytes, formatBytesOf, formatNumber, formatPercent, formatUnit, UNKNOWN } from '../format.ts';
import { useLatestHostSample } from '../parts/devices.ts';
import { Facts } from '../parts/facts.tsx';
import { HostParts, limitFacts } from '../parts/host-detail.tsx';
import { useHistory } from '../state/use-history.ts';
import { text } from '../text.ts';

const METRICS = ['cpu', 'cpuIowait', 'pressureIo', 'diskRead', 'diskWrite', 'netRx', 'netTx'] as const;

/** The host: its latest values, and how processor, disks and network were. */
export const HostPanel = ({ host, lastMs }: { readonly host: Host; readonly lastMs: number }) => {
  const sample = useLatestHostSample(host);
  const wanted = useMemo(() => ({ lastMs }), [lastMs]);
  const { live, problem } = useHistory(host.host, METRICS, wanted);
  const shared = live && { history: live.history, span: live.span, sync: 'now' };
  const rate = (value: number | null) => formatUnit(value, 'bytes/s');
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
      {problem !== null && <p class="soft">{text.failed(problem)}</p>}
      {shared && (
        <div class="charts">
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
        </div>
      )}
    </section>
  );
};

/** Those that the kernel counts, which are two of a core with hyper-threading; else what was said at the start. */
const cores = ({ cpuCores, detail }: Host) => {
  const count = detail?.cores?.length ?? cpuCores;
  return count === null ? UNKNOWN : text.host.cores(formatNumber(count));
};
