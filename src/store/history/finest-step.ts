import type { Database } from 'better-sqlite3';
import type { Range } from '../../core/ports.ts';
import { HOUR_MS, MINUTE_MS } from './rollup.ts';
import type { SealedTiers } from './sealed-tiers.ts';

/**
 * How finely the hours of a stretch are kept, by the one that is kept most coarsely: 0 (all samples), else the width of
 * the rollups that are left, ms. What was never sealed is all there.
 */
export const createFinestStep = (db: Database) => {
  const hours = db
    .prepare<[number, string, number, number], number>(
      'SELECT start FROM hour_rollups WHERE subject = ? AND metric = ? AND start >= ? AND start < ?',
    )
    .pluck();
  /** `metrics`: those of the subject. The first that has rollups speaks for all: they are sealed together. */
  return (sealed: SealedTiers, subject: number, metrics: readonly string[], range: Range): number => {
    const [from, to] = [Math.floor(range.from / HOUR_MS) * HOUR_MS, range.to];
    const samples = new Set(sealed.sampleHours(subject, from, to));
    const minutes = new Set(sealed.minuteHours(subject, from, to));
    for (const metric of metrics) {
      const starts = hours.all(subject, metric, from, to);
      if (starts.some((start) => !samples.has(start) && !minutes.has(start))) return HOUR_MS;
      if (starts.length > 0) break;
    }
    return [...minutes].some((start) => !samples.has(start)) ? MINUTE_MS : 0;
  };
};
