import type { Gpu, GpuSample } from '../../../src/core/sample.ts';
import { formatBytesOf, formatNumber, formatPercent, formatUnit } from '../format.ts';
import { text } from '../text.ts';

/** Throttle reasons that say how a GPU is meant to run, not that it is held back. */
const HARMLESS: ReadonlySet<string> = new Set(['gpu_idle', 'applications_clocks_setting', 'display_clock_setting']);

/** What slows a GPU down, in words; null where the GPU does not say. */
export const slowedBy = (sample: GpuSample): string | null =>
  sample.throttle &&
  (sample.throttle
    .filter((reason) => !HARMLESS.has(reason))
    .map((reason) => reason.replaceAll('_', ' '))
    .join(', ') ||
    text.gpus.notThrottled);

/** A GPU's latest values as texts: of what there is, how much of what. */
export const gpuTexts = (gpu: Gpu, sample: GpuSample | null) => ({
  utilization: formatPercent(sample?.utilization),
  memory: formatBytesOf(sample?.memoryUsed, sample?.memoryTotal ?? gpu.memoryTotal),
  power: text.of(formatNumber(sample?.power, 3), formatUnit(sample?.powerLimit ?? gpu.powerLimit, 'W')),
  temperature: formatUnit(sample?.temperature, '°C'),
  clocks: text.gpus.clockPair(formatNumber(sample?.clockSm), formatUnit(sample?.clockMem, 'MHz')),
});
