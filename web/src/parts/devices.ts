import type { Gpu, GpuSample, Host, HostSample } from '../../../src/core/sample.ts';
import { useDashboard } from '../context.ts';

/** The newest sample of a GPU: what the stream said, else what came with the list. */
export const useLatestGpuSample = (gpu: Gpu): GpuSample | null =>
  useDashboard((state) => state.gpuSamples.get(gpu.gpu)) ?? gpu.latest;

/** See {@link useLatestGpuSample}. */
export const useLatestHostSample = (host: Host): HostSample | null =>
  useDashboard((state) => state.hostSamples.get(host.host)) ?? host.latest;
