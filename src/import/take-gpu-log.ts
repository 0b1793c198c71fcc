import type { TakeGpuLog } from '../core/gpu-log.ts';
import type { Store } from '../core/ports.ts';
import type { UsedGpu } from '../core/run-gpu.ts';

/**
 * Writes rows of a log in one transaction: a GPU with a UUID is that GPU, wherever it is; one without is a GPU of the
 * run's own, `import:RUN:0`, never one of this machine.
 */
export const createTakeGpuLog =
  (store: Store): TakeGpuLog =>
  (run, rows) => {
    const samples = rows.map(({ at, gpu, values }) => ({
      subject: typeof gpu === 'string' ? `gpu:${gpu}` : `import:${run}:${gpu}`,
      at,
      values,
    }));
    const gpus = new Map<string, UsedGpu>();
    for (const { subject, at } of samples) {
      const { firstAt, lastAt } = gpus.get(subject) ?? {};
      gpus.set(subject, { subject, firstAt: Math.min(firstAt ?? at, at), lastAt: Math.max(lastAt ?? at, at) });
    }
    const taken = store.transaction(() => {
      const { length } = store.appendSamples(samples);
      // A log that is known already changes nothing that was reckoned.
      if (length > 0) store.addRunGpus(run, [...gpus.values()]);
      store.flushSamples();
      return length;
    });
    return { taken, known: rows.length - taken };
  };
