import type { Database } from 'better-sqlite3';
import type { Store } from '../core/ports.ts';
import type { Samples } from './samples.ts';

const DAY_MS = 86_400_000;
const EVENTS_KEPT_MS = 7 * DAY_MS;
const SAMPLES_KEPT_MS = 14 * DAY_MS;
/** Of each table, so that one step stays far below a tick. */
const ROWS_A_STEP = 500;

/** Deletes what is past its time, oldest first, a small step a call. Runs, epochs, attempts and alerts stay. */
export const createPrune = ({ db, samples }: { db: Database; samples: Samples }): Store['prune'] => {
  // Only from the front, up to the first event that is young enough: events that are kept have no gap between them.
  const events = db.prepare<[{ cutoff: number; limit: number }]>(`
    WITH oldest AS (SELECT cursor, at FROM events ORDER BY cursor LIMIT @limit)
    DELETE FROM events WHERE cursor IN (
      SELECT cursor FROM oldest
      WHERE at < @cutoff AND cursor < coalesce((SELECT min(cursor) FROM oldest WHERE at >= @cutoff), cursor + 1)
    )`);
  return (now) => {
    const deleted = [
      events.run({ cutoff: now - EVENTS_KEPT_MS, limit: ROWS_A_STEP }).changes,
      samples.prune(now - SAMPLES_KEPT_MS, ROWS_A_STEP),
    ];
    return deleted.includes(ROWS_A_STEP);
  };
};
