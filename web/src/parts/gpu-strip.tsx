import type { Gpu } from '../../../src/core/sample.ts';
import { useDashboard } from '../context.ts';
import { runPath } from '../route.ts';
import { text } from '../text.ts';
import { useLatestGpuSample } from './devices.ts';
import { gpuTexts } from './gpu-values.ts';
import { Link } from './link.tsx';
import { Meter } from './meter.tsx';
import { useRunNames } from './run-names.ts';

/** All GPUs in one line each: utilization, memory, power, and by whom it is used. Nothing where there is none. */
export const GpuStrip = () => {
  const gpus = useDashboard((state) => state.gpus) ?? [];
  if (gpus.length === 0) return null;
  return (
    <section class="strip" aria-label={text.gpus.title}>
      {gpus.map((gpu) => (
        <GpuTile key={gpu.uuid} gpu={gpu} />
      ))}
    </section>
  );
};

const GpuTile = ({ gpu }: { readonly gpu: Gpu }) => {
  const sample = useLatestGpuSample(gpu);
  const nameOf = useRunNames();
  const texts = gpuTexts(gpu, sample);
  const run = sample?.run ?? gpu.run;
  return (
    <div class="card gpu-tile">
      <p class="gpu-name">
        <Link to="gpus">{gpu.gpu}</Link> <span class="soft">{gpu.name}</span>
      </p>
      <dl>
        <div>
          <dt>{text.gpus.utilization}</dt>
          <dd>
            <Meter label={text.gpus.utilization} value={sample?.utilization} of={100} /> {texts.utilization}
          </dd>
        </div>
        <div>
          <dt>{text.gpus.memory}</dt>
          <dd>
            <Meter label={text.gpus.memory} value={sample?.memoryUsed} of={sample?.memoryTotal ?? gpu.memoryTotal} />{' '}
            {texts.memory}
          </dd>
        </div>
        <div>
          <dt>{text.gpus.power}</dt>
          <dd>
            <Meter label={text.gpus.power} value={sample?.power} of={sample?.powerLimit ?? gpu.powerLimit} />{' '}
            {texts.power}
          </dd>
        </div>
      </dl>
      <p class="soft gpu-user">{run === null ? text.gpus.free : <Link to={runPath(run)}>{nameOf(run)}</Link>}</p>
    </div>
  );
};
