import { useEffect } from 'preact/hooks';
import { useDashboard, useParts, usePlace, useSession } from '../context.ts';
import { PageTitle } from '../parts/page-title.tsx';
import { text } from '../text.ts';
import { GpuPanel } from './gpu-panel.tsx';
import { HostPanel } from './host-panel.tsx';

const RANGES = { '10m': 600_000, '1h': 3_600_000, '24h': 86_400_000 } as const;
type RangeName = keyof typeof RANGES;

/** Who uses a GPU is asked this often, in milliseconds: the stream carries samples only. */
const DEVICES_MS = 10_000;

/** The GPUs and the host, live. */
export const GpusPage = () => {
  const session = useSession();
  const gpus = useDashboard((state) => state.gpus);
  const hosts = useDashboard((state) => state.hosts);
  const source = useDashboard((state) => state.service?.gpuSource);
  const range = usePlace(({ query }) => rangeOf(query));
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && session.loadDevices(), DEVICES_MS);
    return () => clearInterval(timer);
  }, [session]);

  return (
    <>
      <PageTitle title={text.gpus.title}>
        <RangeChoice range={range} />
      </PageTitle>
      {gpus === null && <p class="soft">{text.loading}</p>}
      {gpus?.length === 0 && (
        <section class="card empty">
          <h2>{text.gpus.none}</h2>
          <p>{source}</p>
        </section>
      )}
      {gpus?.map((gpu) => (
        <GpuPanel key={gpu.uuid} gpu={gpu} lastMs={RANGES[range]} />
      ))}
      {hosts?.map((host) => (
        <HostPanel key={host.host} host={host} lastMs={RANGES[range]} />
      ))}
    </>
  );
};

const RangeChoice = ({ range }: { readonly range: RangeName }) => {
  const { location } = useParts();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{text.gpus.range}</legend>
      {Object.entries(text.gpus.ranges).map(([name, label]) => (
        <label key={name}>
          <input
            type="radio"
            name="range"
            checked={name === range}
            onChange={() => location.go(`gpus?range=${name}`, { replace: true })}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
};

const rangeOf = (query: string): RangeName => {
  const asked = new URLSearchParams(query).get('range');
  return asked === '1h' || asked === '24h' ? asked : '10m';
};
