import type { Clock } from '../../core/clock.ts';
import {
  type CollectorHealth,
  collectorStateOf,
  HEALTH_COLLECTOR,
  hasCollectorSeries,
  isRunCollector,
  RUN_COLLECTORS,
} from '../../core/collector-health.ts';
import type { CollectorMetric } from '../../core/metrics.ts';
import type { Collector } from '../../core/ports.ts';
import type { Sample } from '../../core/sample.ts';

export type HealthCollectorOptions = {
  /** All collectors, this one included. */
  readonly health: () => readonly CollectorHealth[];
  readonly clock: Clock;
  readonly everyMs?: number;
};

const EVERY_MS = 10_000;

/**
 * How the other collectors do, as samples of `collector:NAME` and as `collectors` of the batch. The collectors of run
 * folders come and go by the thousand: together they are one, {@link RUN_COLLECTORS}.
 */
export const createHealthCollector = ({ health, clock, everyMs = EVERY_MS }: HealthCollectorOptions): Collector => {
  const foldRuns = createRunFold();
  return {
    name: HEALTH_COLLECTOR,
    when: { everyMs },
    timeoutMs: 10_000,
    collect: async () => {
      const now = clock.now();
      const all = health();
      const runs = foldRuns(all.filter(({ name }) => isRunCollector(name)));
      const collectors = [...all.filter(({ name }) => hasCollectorSeries(name)), ...runs];
      return { collectors, samples: collectors.map((collector) => sampleOf(collector, now)) };
    },
  };
};

const sampleOf = (collector: CollectorHealth, now: number): Sample => {
  const { name, ageMs: age, durationMs: duration, misses, failures } = collectorStateOf(collector, now);
  return {
    subject: `collector:${name}`,
    at: now,
    values: { age, duration, misses, failures } satisfies Record<CollectorMetric, number | null>,
  };
};

/**
 * Folds the collectors of run folders into one: the longest silence with its error, the longest look, the sum of what
 * failed. Empty where there is none. Misses are carried on when a collector ends, for a counter never falls.
 */
const createRunFold = () => {
  let counted = new Map<string, number>();
  let misses = 0;
  return (runs: readonly CollectorHealth[]): readonly CollectorHealth[] => {
    // A folder that is watched anew counts from 0 again.
    for (const run of runs) misses += Math.max(0, run.misses - (counted.get(run.name) ?? 0));
    counted = new Map(runs.map((run) => [run.name, run.misses]));
    const [first, ...others] = runs;
    if (first === undefined) return [];
    const worst = others.reduce((a, b) => (silentSince(b) < silentSince(a) ? b : a), first);
    return [
      {
        name: RUN_COLLECTORS,
        everyMs: largest(runs.map(({ everyMs }) => everyMs)) ?? worst.everyMs,
        lastSuccessAt: worst.lastSuccessAt,
        lastErrorAt: largest(runs.map(({ lastErrorAt }) => lastErrorAt)),
        error: worst.error === null ? null : `${worst.name}: ${worst.error}`,
        failures: runs.reduce((sum, run) => sum + run.failures, 0),
        durationMs: largest(runs.map(({ durationMs }) => durationMs)),
        misses,
        polling: runs.some(({ polling }) => polling),
      },
    ];
  };
};

/** One whose first look failed is silent for ever, one whose first look is under way not yet. */
const silentSince = ({ lastSuccessAt, error }: CollectorHealth): number =>
  lastSuccessAt ?? (error === null ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);

/** Of thousands, so without spreading them into arguments. */
const largest = (values: readonly (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);
