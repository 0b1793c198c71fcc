import { setTimeout as pause } from 'node:timers/promises';
import type { Collector } from '../../../core/ports.ts';
import { describeGpus } from '../describe-gpus.ts';
import { createNvmlCollector, type FirstAnswer, type NvmlCollector, type NvmlOptions } from './collector.ts';
import { mayHaveLibrary, SONAME } from './places.ts';
import { EXIT } from './protocol.ts';

/** What can be had of the GPUs through NVML. */
export type NvmlFound =
  /** They are watched, or the driver is there and fails, and may come back. */
  | { readonly kind: 'watched'; readonly collector: Collector; readonly says: string }
  /** The driver answers, and there is no GPU. */
  | { readonly kind: 'none' }
  /** NVML cannot be used on this machine, and why. */
  | { readonly kind: 'cannot'; readonly why: string };

export type FindNvmlOptions = NvmlOptions & {
  /** Longest that the first answer is waited for. */
  readonly withinMs: number;
  readonly signal?: AbortSignal;
};

/**
 * Starts the child that is to watch the GPUs, and looks at what it says first. Rejects with the signal's reason; then,
 * and where NVML cannot be used, nothing lives on.
 */
export const findNvml = async ({ withinMs, signal, ...options }: FindNvmlOptions): Promise<NvmlFound> => {
  if (process.platform !== 'linux') return { kind: 'cannot', why: 'NVML is called on Linux only' };
  const { library, environment } = options;
  if (!mayHaveLibrary(library, environment.LD_LIBRARY_PATH ?? ''))
    return {
      kind: 'cannot',
      why: `there is no ${SONAME}: the NVIDIA driver is not installed, or not in this container`,
    };

  const collector = createNvmlCollector(options);
  const answer = await firstAnswer(collector, withinMs, signal);
  if (signal?.aborted) {
    await collector.close?.();
    throw signal.reason;
  }
  const found = judge(answer, collector, withinMs);
  if (found.kind !== 'watched') await collector.close?.();
  return found;
};

/** null: it did not come in time. */
const firstAnswer = async (
  collector: NvmlCollector,
  withinMs: number,
  signal: AbortSignal | undefined,
): Promise<FirstAnswer | null> => {
  const done = new AbortController();
  const limits = AbortSignal.any([done.signal, ...(signal ? [signal] : [])]);
  const late = pause(withinMs, null, { signal: limits }).catch(() => null);
  const answer = await Promise.race([collector.firstAnswer(), late]);
  done.abort();
  return answer;
};

const judge = (answer: FirstAnswer | null, collector: Collector, withinMs: number): NvmlFound => {
  if (answer === null) {
    const says = `NVML has not answered for ${withinMs / 1000} s: the GPUs appear when it does`;
    return { kind: 'watched', collector, says };
  }
  if (answer.kind === 'gpus') {
    const says =
      answer.gpus.length === 0
        ? 'no GPU can be opened now; it is tried again'
        : `${describeGpus(answer.gpus)}, read by NVML`;
    return { kind: 'watched', collector, says };
  }
  if (answer.code === EXIT.noGpu) return { kind: 'none' };
  if (answer.code !== EXIT.failing) return { kind: 'cannot', why: answer.why };
  return { kind: 'watched', collector, says: `no GPU can be read now: ${answer.why}; it is tried again` };
};
