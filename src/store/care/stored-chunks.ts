import type { Database } from 'better-sqlite3';
import { type Chunk, openChunk } from '../chunks/chunk.ts';

/** A row of raw_chunks or minute_chunks. `open` throws where the chunk or its layout is damaged. */
export type ChunkRow = {
  readonly id: number;
  readonly subject: number;
  readonly start: number;
  readonly rows: number;
  readonly open: () => Chunk;
};

type Row = Omit<ChunkRow, 'open'> & { readonly names: string | null; readonly body: Buffer };

/** Goes through the chunks of a table with these conditions, one at a time. */
export const chunkRows = function* (
  db: Database,
  table: 'raw_chunks' | 'minute_chunks',
  where = '1 ORDER BY c.id',
  parameters: readonly number[] = [],
): Generator<ChunkRow> {
  const rows = db.prepare<number[], Row>(`
    SELECT c.id, c.subject, c.start, c.rows, c.body, l.names
    FROM ${table} AS c LEFT JOIN layouts AS l ON l.id = c.layout WHERE ${where}`);
  for (const { names, body, ...row } of rows.iterate(...parameters)) {
    yield { ...row, open: () => openChunk({ names: namesOf(names), body }) };
  }
};

const namesOf = (text: string | null): readonly string[] => {
  if (text === null) throw new Error('its layout is not there');
  const names: unknown = JSON.parse(text);
  if (!Array.isArray(names)) throw new Error('its layout is no list of names');
  return names.map(String);
};
