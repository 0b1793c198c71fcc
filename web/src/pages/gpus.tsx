import { useEffect, useMemo } from 'preact/hooks';
import { useDashboard, useSession } from '../context.ts';
import { STRETCHES, type TimeRange } from '../model/time-range.ts';
import { PageTitle } from '../parts/page-title.tsx';
import { RangeBar } from '../parts/range-bar.tsx';
import type { Span } from '../state/use-history.ts';
import { useTimeRange } from '../state/use-time-range.ts';
import { text } from '../text.ts';
import { GpuPanel } from './gpu-panel.tsx';
import { HostPanel } from './host-panel.tsx';

/** Who uses a GPU is asked this often, in milliseconds: the stream carries samples only. */
const DEVICES_MS = 10_000;

/** The GPUs and the host, live. */
export const GpusPage = () => {
  const session = useSession();
  const gpus = useDashboard((state) => state.gpus);
  const hosts = useDashboard((state) => state.hosts);
  const source = useDashboard((state) => state.service?.gpuSource);
  const choice = useTimeRange('10m');
  const span = useMemo(() => spanOf(choice.range), [choice.range]);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && session.loadDevices(), DEVICES_MS);
    return () => clearInterval(timer);
  }, [session]);

  return (
    <>
      <PageTitle title={text.gpus.title}>
        <RangeBar choice={choice} span={span} />
      </PageTitle>
      {gpus === null && <p class="soft">{text.loading}</p>}
      {gpus?.length === 0 && (
        <section class="card empty">
          <h2>{text.gpus.none}</h2>
          <p>{source}</p>
        </section>
      )}
      {gpus?.map((gpu) => (
        <GpuPanel key={gpu.uuid} gpu={gpu} span={span} choice={choice} />
      ))}
      {hosts?.map((host) => (
        <HostPanel key={host.host} host={host} span={span} choice={choice} />
      ))}
    </>
  );
};

const spanOf = ({ last, zoom }: TimeRange): Span =>
  zoom === null ? { lastMs: STRETCHES[last ?? '10m'] } : { from: zoom[0], to: zoom[1] };
