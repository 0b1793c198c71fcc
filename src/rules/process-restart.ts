import { median } from '../core/statistics.ts';

/** GPU memory (bytes) that a training process held in its last samples. */
export type HeldMemory = number[];

const COMPARED_SAMPLES = 20;

/**
 * Takes a sample and says whether the process began anew with it: its memory fell below `restartShare` of the median
 * of the samples before. What a caching allocator gives back at the end of an epoch stays above that.
 */
export const restarted = (held: HeldMemory, memory: number, restartShare: number): boolean => {
  const fell = held.length === COMPARED_SAMPLES && memory < restartShare * median(held);
  if (fell) held.length = 0;
  held.push(memory);
  if (held.length > COMPARED_SAMPLES) held.shift();
  return fell;
};
