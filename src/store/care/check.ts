import Database from 'better-sqlite3';
import { HOUR_MS } from '../history/rollup.ts';
import { hasTable } from './open-reader.ts';
import { type ChunkRow, chunkRows } from './stored-chunks.ts';

/** How far a check is: what it looks at, and how much of it is done, 0 to 1; null: that is not known. */
export type OnProgress = (what: string, share: number | null) => void;

const MOST_FAULTS = 100;
const TABLES = { raw_chunks: 'sealed samples', minute_chunks: 'sealed 60 s rollups' } as const;

/**
 * Looks at every page, index and reference, then opens every chunk and decodes all of it. Returns what is wrong, a line
 * each, at most about {@link MOST_FAULTS} of a kind. Reads one snapshot; a large database takes minutes.
 */
export const checkDatabase = (db: Database.Database, onProgress: OnProgress): readonly string[] => {
  try {
    return db.transaction(() => faultsOf(db, onProgress))();
  } catch (error) {
    // Too damaged to be looked at any further.
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CORRUPT')) return [error.message];
    throw error;
  }
};

const faultsOf = (db: Database.Database, onProgress: OnProgress): readonly string[] => {
  onProgress('pages and indexes', null);
  const pages = db.prepare<[], string>(`PRAGMA integrity_check(${MOST_FAULTS})`).pluck().all();
  if (pages.some((line) => line !== 'ok')) return pages.flatMap((text) => text.split('\n'));
  onProgress('references', null);
  return [
    ...orphans(db),
    ...chunkFaults(db, 'raw_chunks', onProgress),
    ...chunkFaults(db, 'minute_chunks', onProgress),
  ];
};

const orphans = (db: Database.Database): readonly string[] =>
  db
    .prepare<[], { table: string; parent: string; n: number }>(
      'SELECT "table", parent, count(*) AS n FROM pragma_foreign_key_check GROUP BY "table", parent',
    )
    .all()
    .map(({ table, parent, n }) => `${table}: ${n} rows whose ${parent} are not there`);

const chunkFaults = (db: Database.Database, table: keyof typeof TABLES, onProgress: OnProgress): readonly string[] => {
  if (!hasTable(db, table)) return [];
  const count = db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;
  const faults: string[] = [];
  let done = 0;
  for (const chunk of chunkRows(db, table)) {
    onProgress(TABLES[table], done++ / count);
    const fault = faultOf(chunk);
    if (fault !== null) faults.push(`${table} ${chunk.id} (subject ${chunk.subject}, ${iso(chunk.start)}): ${fault}`);
    if (faults.length >= MOST_FAULTS) return faults;
  }
  return faults;
};

const faultOf = ({ start, rows, open }: ChunkRow): string | null => {
  try {
    const chunk = open();
    if (chunk.rows !== rows) return `it has ${chunk.rows} rows and says that it has ${rows}`;
    const at = chunk.at();
    for (const name of chunk.names) chunk.column(name);
    const isInside = at.every((moment) => moment >= start && moment < start + HOUR_MS);
    return isInside ? null : 'some of its moments are not of its hour';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const iso = (moment: number): string => new Date(moment).toISOString();
