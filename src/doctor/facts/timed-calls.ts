import type { Nvml } from '../../collectors/gpu/nvml/library.ts';
import type { Tell } from './tell.ts';

/** How long calls of one function took, µs, the first one among them. `p95Us` is null for fewer than 20. */
export type CallTimes = {
  readonly name: string;
  readonly count: number;
  readonly medianUs: number;
  readonly p95Us: number | null;
  readonly maxUs: number;
};

/**
 * The same library with a clock on every call: what the sampler asks is what is measured. Says each function's name
 * before it is called, so that one that hangs is known.
 */
export const timeCalls = (
  nvml: Nvml,
  tell: Tell,
): { readonly nvml: Nvml; readonly times: () => readonly CallTimes[] } => {
  const took = new Map<string, number[]>();
  const timed = Object.entries(nvml).map(([name, call]) => {
    if (call === undefined) return [name, undefined];
    // One signature for all functions: each still gets just the arguments that its caller, who knows its own, passes.
    const anyCall = call as (...args: readonly unknown[]) => number;
    const measured = (...args: readonly unknown[]): number => {
      tell(`calling ${name}`);
      const startedAt = performance.now();
      const code = anyCall(...args);
      const us = (performance.now() - startedAt) * 1000;
      const durations = took.get(name);
      if (durations === undefined) took.set(name, [us]);
      else durations.push(us);
      return code;
    };
    return [name, measured];
  });
  return {
    // It has the names of `nvml`, each with a function of the same signature.
    nvml: Object.fromEntries(timed) as Nvml,
    times: () => [...took].map(([name, durations]) => ({ name, ...spread(durations) })),
  };
};

const ENOUGH_FOR_P95 = 20;

/** Median, 95th percentile by nearest rank, and the largest. */
export const spread = (durations: readonly number[]): Omit<CallTimes, 'name'> => {
  const sorted = durations.toSorted((a, b) => a - b);
  const rank = (share: number): number =>
    Number((sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0).toFixed(1));
  return {
    count: sorted.length,
    medianUs: rank(0.5),
    p95Us: sorted.length < ENOUGH_FOR_P95 ? null : rank(0.95),
    maxUs: rank(1),
  };
};
