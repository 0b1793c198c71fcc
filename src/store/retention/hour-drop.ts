import type { Database } from 'better-sqlite3';
import { HOUR_MS } from '../history/rollup.ts';

/**
 * Deletes rollups of whole hours. Their key begins with the subject and the metric, so what is old is found by going
 * through all of these, some in each step; one time through is a pass.
 */
export type HourDrop = {
  /** Goes on with the pass, and deletes what is from before `cutoff`, ms. True: the pass is not over. */
  readonly before: (cutoff: number) => boolean;
  /** Goes on with the pass, and deletes what is oldest. False: there is nothing. */
  readonly oldest: () => boolean;
};

const SERIES_A_STEP = 100;
const ROWS_A_STEP = 500;
/** How much of what is kept goes in one pass over the oldest: a small part, but no less than a day. */
const PASS_SHARE = 1 / 16;
const PASS_LEAST_MS = 24 * HOUR_MS;

export const createHourDrop = (db: Database): HourDrop => {
  const first = db.prepare('SELECT 1 FROM hour_rollups LIMIT 1');
  const next = db.prepare<[Series], Series & { oldest: number; newest: number }>(`
    SELECT subject, metric,
      (SELECT min(start) FROM hour_rollups AS o WHERE o.subject = h.subject AND o.metric = h.metric) AS oldest,
      (SELECT max(start) FROM hour_rollups AS n WHERE n.subject = h.subject AND n.metric = h.metric) AS newest
    FROM hour_rollups AS h WHERE (subject, metric) > (@subject, @metric) ORDER BY subject, metric LIMIT 1`);
  // Where the minutes of an hour are still kept, the hour is young, however long ago it was: an old log, imported.
  const drop = db.prepare<[Series & { cutoff: number; limit: number }]>(`
    DELETE FROM hour_rollups WHERE subject = @subject AND metric = @metric AND start IN (
      SELECT start FROM hour_rollups AS h
      WHERE subject = @subject AND metric = @metric AND start < @cutoff
        AND NOT EXISTS (SELECT 1 FROM minute_chunks AS m WHERE m.subject = h.subject AND m.start = h.start)
      ORDER BY start LIMIT @limit
    )`);

  let place: Series = FIRST;
  let span = NOTHING;
  /** What the last whole pass left. */
  let left = NOTHING;

  const goOn = (cutoff: number): boolean => {
    let rows = 0;
    for (let visited = 0; visited < SERIES_A_STEP && rows < ROWS_A_STEP; visited++) {
      const series = next.get(place);
      if (series === undefined) {
        left = span;
        [place, span] = [FIRST, NOTHING];
        return false;
      }
      const { subject, metric, oldest, newest } = series;
      const limit = ROWS_A_STEP - rows;
      const dropped = oldest < cutoff ? drop.run({ subject, metric, cutoff, limit }).changes : 0;
      rows += dropped;
      // What the limit left of this one is for the next step.
      if (dropped === limit) return true;
      span = { from: Math.min(span.from, Math.max(oldest, cutoff)), to: Math.max(span.to, newest) };
      place = { subject, metric };
    }
    return true;
  };

  return {
    before: goOn,
    oldest: () => {
      if (first.get() === undefined) return false;
      const { from, to } = left;
      // The first pass only looks.
      goOn(from > to ? Number.NEGATIVE_INFINITY : from + Math.max(PASS_LEAST_MS, (to - from) * PASS_SHARE));
      return true;
    },
  };
};

type Series = { readonly subject: number; readonly metric: string };
type Span = { readonly from: number; readonly to: number };

const FIRST: Series = { subject: -1, metric: '' };
const NOTHING: Span = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
