import type { Sample } from '../../core/sample.ts';

/**
 * Marks that a gap begins: asked from here on, and not known. One sample for each GPU, in which every metric that the
 * source asks for is null; without it a chart would draw a line to the next value.
 */
export const gapSamples = (uuids: Iterable<string>, metrics: readonly string[], at: number): readonly Sample[] => {
  const values = Object.fromEntries(metrics.map((metric) => [metric, null]));
  return [...uuids].map((uuid) => ({ subject: `gpu:${uuid}`, at, values }));
};
