import type { RunMetric } from '../../core/metrics.ts';
import type { RunProcess } from '../../core/run-process.ts';

/** A process of a run with what its sums need. */
export type MeasuredProcess = RunProcess & {
  /** Seen for the first time: its rates are not known yet. */
  readonly isNew: boolean;
  /** When it last used the CPU or waited for a disk, ms. */
  readonly workedAt: number;
};

/**
 * A worker that has done nothing for so long is another loader's: Ultralytics keeps those of the validation beside those
 * of the training, and one kind sleeps while the other works. A mean over both would hide that every worker is busy.
 */
const RESTS_AFTER_MS = 10_000;

/** What the processes of one run use together at `now`. A process that cannot be measured makes the sum unknown: null. */
export const valuesOf = (
  processes: readonly MeasuredProcess[],
  now: number,
): Readonly<Record<RunMetric, number | null>> => {
  const alive = processes.filter(({ state }) => state === null || !/^[ZXx]/.test(state));
  const seenBefore = alive.filter(({ isNew }) => !isNew);
  const workers = alive.filter(({ role }) => role === 'worker');
  const working = workers.filter(({ workedAt }) => now - workedAt <= RESTS_AFTER_MS);
  const counted = working.length > 0 ? working : workers;
  const workersCpu = total(counted.filter(({ isNew }) => !isNew).map(({ cpu }) => cpu));
  return {
    cpu: rounded(total(seenBefore.map(({ cpu }) => cpu))),
    memory: total(alive.map(({ memory }) => memory)),
    diskRead: total(seenBefore.map(({ diskRead }) => diskRead)),
    diskWrite: total(seenBefore.map(({ diskWrite }) => diskWrite)),
    processes: alive.length,
    workers: workers.length,
    workersCpu: workersCpu === null ? null : rounded(workersCpu / counted.filter(({ isNew }) => !isNew).length),
    workersBlocked: counted.length === 0 ? null : counted.filter(({ state }) => state === 'D').length / counted.length,
  };
};

const total = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 || known.length < values.length ? null : known.reduce((sum, value) => sum + value, 0);
};

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);
