import type { Database } from 'better-sqlite3';

const EVENTS_KEPT_MS = 7 * 86_400_000;
const EVENTS_A_STEP = 500;

/** Deletes a few of the events that are a week old, oldest first; returns whether as many as one step takes. */
export const createEventDrop = (db: Database): ((now: number) => boolean) => {
  // Only from the front, up to the first event that is young enough: events that are kept have no gap between them.
  const drop = db.prepare<[{ cutoff: number; limit: number }]>(`
    WITH oldest AS (SELECT cursor, at FROM events ORDER BY cursor LIMIT @limit)
    DELETE FROM events WHERE cursor IN (
      SELECT cursor FROM oldest
      WHERE at < @cutoff AND cursor < coalesce((SELECT min(cursor) FROM oldest WHERE at >= @cutoff), cursor + 1)
    )`);
  return (now) => drop.run({ cutoff: now - EVENTS_KEPT_MS, limit: EVENTS_A_STEP }).changes === EVENTS_A_STEP;
};
