import type { ObservedGpu } from '../../core/batch.ts';
import { parseUnreachableGpus } from './smi-errors.ts';

/** A GPU that was seen before and gives nothing now, and the driver's word for it. */
export type LostGpu = { readonly gpu: ObservedGpu; readonly trouble: string };

/**
 * Keeps which GPUs nvidia-smi (580 and later) says that it cannot open while it goes on with the others. It names them by
 * index or place on the bus, so one that was never seen has no UUID and cannot be told. A GPU that has a row again is
 * back, whatever was said of it.
 */
export const createUnreachableGpus = () => {
  const seen = new Map<string, ObservedGpu>();
  const troubles = new Map<string, string>();

  return {
    /** Takes what the program said between its rows. */
    hear: (text: string): void => {
      for (const { index, pciBusId, trouble } of parseUnreachableGpus(text)) {
        const named = [...seen.values()].find((gpu) =>
          index === null ? gpu.pciBusId === pciBusId : gpu.index === index,
        );
        if (named !== undefined) troubles.set(named.uuid, trouble);
      }
    },
    /** Takes the GPUs that have a row in a round; returns those that cannot be opened. */
    beside: (present: readonly ObservedGpu[]): readonly LostGpu[] => {
      for (const gpu of present) {
        seen.set(gpu.uuid, gpu);
        troubles.delete(gpu.uuid);
      }
      return [...troubles].flatMap(([uuid, trouble]) => {
        const gpu = seen.get(uuid);
        return gpu === undefined ? [] : [{ gpu, trouble }];
      });
    },
  };
};
