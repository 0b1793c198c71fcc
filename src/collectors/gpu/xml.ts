import nvidiaSmi from 'node-nvidia-smi';
import type { Clock } from '../../core/clock.ts';
import type { Collector } from '../../core/ports.ts';
import { type ProcessSources, readProcess } from '../process/facts.ts';
import { explainSmiFailure } from './smi-errors.ts';
import { parseSmiLog, type XmlGpu } from './xml-parser.ts';

/**
 * GPUs by node-nvidia-smi, the last resort: a look starts `nvidia-smi -q -x`, blocks the driver 40 ms a GPU, and any
 * word on stderr loses all GPUs of that look. The package runs the nvidia-smi that is on PATH, has no time-out and
 * gives no handle on its child: a look that hangs is never doubled, the next ones wait for it.
 */
export const createXmlCollector = (options: {
  readonly everyMs: number;
  readonly clock: Clock;
  readonly sources: ProcessSources;
}): Collector => {
  const look = createSingleLook();
  return {
    name: 'gpu',
    when: { everyMs: options.everyMs },
    timeoutMs: 20_000,
    collect: async (signal) => {
      const found = await look(signal);
      const at = options.clock.now();
      return {
        gpus: found.map(({ gpu }) => gpu),
        samples: found.map(({ gpu, values }) => ({ subject: `gpu:${gpu.uuid}`, at, values })),
        processes: found.flatMap(({ gpu, processes }) =>
          processes.map(({ pid, memory, name }) => {
            const facts = readProcess(pid, options.sources);
            return { gpuUuid: gpu.uuid, pid, memory, ...facts, command: facts.command ?? name };
          }),
        ),
      };
    },
  };
};

/** One look at the GPUs; rejects when the signal aborts, with what the package reports, or while a look still hangs. */
const createSingleLook = () => {
  let running = false;
  return async (signal: AbortSignal): Promise<readonly XmlGpu[]> => {
    if (running) throw new Error('nvidia-smi -q -x: the look before this one has not ended yet');
    running = true;
    const log = await new Promise<unknown>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('nvidia-smi -q -x did not end in time')), { once: true });
      nvidiaSmi((error, data) => {
        running = false;
        if (error) reject(readable(error));
        else resolve(data);
      });
    });
    return parseSmiLog(log);
  };
};

/** The package hands on a text from stderr, or the error of exec, whose code is the program's exit code. */
const readable = (error: unknown): Error => {
  if (!(error instanceof Error)) return new Error(`nvidia-smi -q -x: ${String(error).trim()}`);
  return 'code' in error && typeof error.code === 'number' ? new Error(explainSmiFailure(error.code, '')) : error;
};
