import type { Database } from 'better-sqlite3';
import type { Retention } from '../../core/retention.ts';
import { createChunkDrop } from './chunk-drop.ts';
import { createEventDrop } from './event-drop.ts';
import { createHourDrop } from './hour-drop.ts';

/** Deletes what is past its time, a few rows of each kind a step; runs, epochs, attempts and alerts have none. */
export type Ageing = {
  /** Belongs into a transaction. True when there is more to do soon. */
  readonly step: (now: number) => boolean;
};

export const createAgeing = (db: Database, { rawMs, minuteMs, hourMs }: Retention): Ageing => {
  const events = createEventDrop(db);
  const raw = createChunkDrop(db, 'raw_chunks');
  const minutes = createChunkDrop(db, 'minute_chunks');
  const hours = createHourDrop(db);
  return {
    step: (now) => {
      const isMore = [
        events(now),
        raw.before(now - rawMs),
        minutes.before(now - minuteMs),
        Number.isFinite(hourMs) && hours.before(now - hourMs),
      ];
      return isMore.includes(true);
    },
  };
};
