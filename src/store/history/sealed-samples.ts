import { DamagedChunk } from '../chunks/bytes.ts';
import { openChunk } from '../chunks/chunk.ts';
import type { Columns, StoredChunk } from '../chunks/columns.ts';

/** Some metrics of all samples of a chunk; a metric that was never known has no column. Throws {@link DamagedChunk}. */
export const readChunk = (stored: StoredChunk, metrics: readonly string[]): Columns => {
  const chunk = openChunk(stored);
  const known = metrics.flatMap((name): [string, Float64Array][] => {
    const values = chunk.column(name);
    return values === null ? [] : [[name, values]];
  });
  return { at: chunk.at(), columns: new Map(known) };
};

/** The same for whoever can do without: null when there is no chunk, or a damaged one. */
export const readChunkIfWhole = (stored: StoredChunk | undefined, metrics: readonly string[]): Columns | null => {
  try {
    return stored === undefined ? null : readChunk(stored, metrics);
  } catch (error) {
    if (error instanceof DamagedChunk) return null;
    throw error;
  }
};
