import type { Database } from 'better-sqlite3';
import { createChunkDrop } from './chunk-drop.ts';
import { createHourDrop } from './hour-drop.ts';
import { createOutputDrop } from './output-drop.ts';

/** Deletes what is oldest when there is too much, whatever its age. Both belong into a transaction. */
export type Shedding = {
  /**
   * A few of the oldest: samples first, then minutes, then hours, then what old runs said of themselves (steps, log
   * lines). False: all that is left is kept for ever.
   */
  readonly dropOldest: () => boolean;
  /**
   * A few of the oldest samples, then minutes. Hours stay: who fills the disk is somebody else by then. False: there
   * are none.
   */
  readonly dropOldestDetail: () => boolean;
};

export const createShedding = (db: Database): Shedding => {
  const raw = createChunkDrop(db, 'raw_chunks');
  const minutes = createChunkDrop(db, 'minute_chunks');
  const hours = createHourDrop(db);
  const outputs = createOutputDrop(db);
  const dropOldestDetail = () => raw.oldest() || minutes.oldest();
  return { dropOldestDetail, dropOldest: () => dropOldestDetail() || hours.oldest() || outputs.oldest() };
};
