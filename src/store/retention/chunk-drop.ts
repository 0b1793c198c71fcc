import type { Database } from 'better-sqlite3';

/** Deletes sealed hours of one tier, those that were sealed first before the others. */
export type ChunkDrop = {
  /** Deletes a few of those that were sealed before `cutoff`, ms; returns whether as many as one step takes. */
  readonly before: (cutoff: number) => boolean;
  /** Deletes a few; false: there are none. */
  readonly oldest: () => boolean;
};

/** About 50 KB each. */
const CHUNKS_A_STEP = 8;

export const createChunkDrop = (db: Database, table: 'raw_chunks' | 'minute_chunks'): ChunkDrop => {
  const drop = db.prepare<[{ cutoff: number; limit: number }]>(`
    DELETE FROM ${table} WHERE id IN (
      SELECT id FROM ${table} WHERE sealed_at < @cutoff ORDER BY sealed_at, id LIMIT @limit
    )`);
  const dropBefore = (cutoff: number) => drop.run({ cutoff, limit: CHUNKS_A_STEP }).changes;
  return {
    before: (cutoff) => dropBefore(cutoff) === CHUNKS_A_STEP,
    oldest: () => dropBefore(Number.MAX_SAFE_INTEGER) > 0,
  };
};
