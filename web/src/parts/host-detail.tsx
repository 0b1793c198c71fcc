import type { HostDetail } from '../../../src/core/host-detail.ts';
import { HOST_METRICS, type HostMetric } from '../../../src/core/metrics.ts';
import { formatBytesOf, formatPercent, formatUnit, UNKNOWN } from '../format.ts';
import { text } from '../text.ts';
import { Facts } from './facts.tsx';
import { Meter } from './meter.tsx';

/** Less free space than this share of a file system is a warning: a checkpoint more, and the training fails. */
const LITTLE_FREE = 0.05;

/** A host part by part: every core, disk, file system, interface and sensor, and why the rest is not known. */
export const HostParts = ({ detail }: { readonly detail: HostDetail }) => (
  <>
    {detail.cores !== null && <Cores cores={detail.cores} />}
    <div class="host-parts">
      <Spaces spaces={detail.spaces} />
      <div>
        {detail.disks.length > 0 && <Disks disks={detail.disks} />}
        {detail.networks.length > 0 && <Networks networks={detail.networks} />}
      </div>
    </div>
    {detail.temperatures.length > 0 && <Temperatures temperatures={detail.temperatures} />}
    <Absent absent={detail.absent} />
  </>
);

const Cores = ({ cores }: { readonly cores: readonly (number | null)[] }) => {
  const known = cores.filter((core) => core !== null);
  const label = text.host.coresBusy(String(known.length), formatPercent(known.length > 0 ? Math.max(...known) : null));
  return (
    <figure class="cores">
      <figcaption>{text.host.eachCore}</figcaption>
      <div role="img" aria-label={label}>
        {cores.map((core, index) => (
          <span key={index} title={text.host.core(String(index), formatPercent(core))}>
            <i style={{ height: `${core ?? 0}%` }} />
          </span>
        ))}
      </div>
    </figure>
  );
};

const Spaces = ({ spaces }: Pick<HostDetail, 'spaces'>) => {
  const { columns } = text.host;
  return (
    <table class="list">
      <caption>{text.host.spaces}</caption>
      <thead>
        <tr>
          <th scope="col">{columns.path}</th>
          <th scope="col">{columns.type}</th>
          <th scope="col">{columns.free}</th>
        </tr>
      </thead>
      <tbody>
        {spaces.map(({ path, use, type, free, total }) => {
          const isLittle = free !== null && total !== null && total > 0 && free / total < LITTLE_FREE;
          return (
            <tr key={`${use} ${path}`}>
              <th scope="row" class="path">
                <code>{path}</code> <span class="soft">{text.host.uses[use]}</span>
              </th>
              <td data-label={columns.type}>{type ?? UNKNOWN}</td>
              <td data-label={columns.free} class="free">
                <span>
                  {formatBytesOf(free, total)} {isLittle && <span class="badge tone-warn">{text.host.littleFree}</span>}
                </span>
                <Meter
                  label={text.host.full(path)}
                  value={free === null || total === null ? null : total - free}
                  of={total}
                />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
};

const Disks = ({ disks }: Pick<HostDetail, 'disks'>) => {
  const { columns } = text.host;
  return (
    <table class="list">
      <caption>{text.host.disks}</caption>
      <thead>
        <tr>
          <th scope="col">{columns.disk}</th>
          <th scope="col">{columns.read}</th>
          <th scope="col">{columns.written}</th>
          <th scope="col">{columns.busy}</th>
          <th scope="col">{columns.latency}</th>
        </tr>
      </thead>
      <tbody>
        {disks.map(({ name, read, write, busy, latency }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td data-label={columns.read}>{formatUnit(read, 'bytes/s')}</td>
            <td data-label={columns.written}>{formatUnit(write, 'bytes/s')}</td>
            <td data-label={columns.busy}>{formatPercent(busy)}</td>
            <td data-label={columns.latency}>{formatUnit(latency, 'ms')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};

const Networks = ({ networks }: Pick<HostDetail, 'networks'>) => {
  const { columns } = text.host;
  return (
    <table class="list">
      <caption>{text.host.networks}</caption>
      <thead>
        <tr>
          <th scope="col">{columns.interface}</th>
          <th scope="col">{columns.received}</th>
          <th scope="col">{columns.sent}</th>
        </tr>
      </thead>
      <tbody>
        {networks.map(({ name, rx, tx }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td data-label={columns.received}>{formatUnit(rx, 'bytes/s')}</td>
            <td data-label={columns.sent}>{formatUnit(tx, 'bytes/s')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};

const Temperatures = ({ temperatures }: Pick<HostDetail, 'temperatures'>) => (
  <section class="temperatures">
    <h3>{text.host.temperatures}</h3>
    <Facts facts={temperatures.map(({ sensor, value }) => ({ label: sensor, value: formatUnit(value, '°C') }))} />
  </section>
);

/** One reason a sentence, with everything that is missing for it. */
const Absent = ({ absent }: Pick<HostDetail, 'absent'>) => {
  const titles = new Map<string, string[]>();
  for (const [metric, reason] of Object.entries(absent)) {
    titles.set(reason, [...(titles.get(reason) ?? []), isMetric(metric) ? HOST_METRICS[metric].title : metric]);
  }
  if (titles.size === 0) return null;
  return (
    <details class="soft absent">
      <summary>{text.host.absent(String(Object.keys(absent).length))}</summary>
      <ul>
        {[...titles].map(([reason, missing]) => (
          <li key={reason}>
            {missing.join(', ')}: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
};

const isMetric = (name: string): name is HostMetric => Object.hasOwn(HOST_METRICS, name);

/** The limits of the cgroup that the service runs in, as facts; none where there is no limit. */
export const limitFacts = (
  detail: HostDetail | null,
  used: number | null | undefined,
  throttled: number | null | undefined,
) => {
  const { cpuCores = null, memory = null } = detail?.limits ?? {};
  return [
    ...(memory === null ? [] : [{ label: text.host.limitMemory, value: formatBytesOf(used, memory) }]),
    ...(cpuCores === null
      ? []
      : [
          {
            label: text.host.limitCpu,
            value: text.host.limitCores(formatUnit(cpuCores, '')),
            more: typeof throttled === 'number' ? text.host.throttled(formatPercent(throttled, 1)) : undefined,
          },
        ]),
  ];
};
