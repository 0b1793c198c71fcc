import { existsSync, realpathSync } from 'node:fs';
import Database from 'better-sqlite3';
import { APPLICATION_ID } from '../migrate.ts';
import { StoreError } from '../store-error.ts';

/**
 * Opens a database for reading, also while a service writes it. Throws {@link StoreError} when there is none, or none of
 * ours, or one that is newer than this code.
 */
export const openReader = (path: string, newestSchema: number): Database.Database => {
  if (!existsSync(path)) throw new StoreError(`${path} is not there; --db FILE names another database`);
  const db = opened(realpathSync(path));
  try {
    const schema = schemaOf(db);
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
      throw new StoreError(`${path} is not a database that Signalbox made`);
    }
    if (schema > newestSchema) {
      throw new StoreError(
        `${path} was written by a newer Signalbox: its schema is ${schema}, this one knows up to ${newestSchema}`,
      );
    }
    return db;
  } catch (error) {
    db.close();
    throw error instanceof StoreError ? error : unreadable(path, error);
  }
};

/** The number of the newest migration that the database has. */
export const schemaOf = (db: Database.Database): number => Number(db.pragma('user_version', { simple: true }));

export const hasTable = (db: Database.Database, table: string): boolean =>
  db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(table) !== undefined;

const opened = (path: string): Database.Database => {
  try {
    return new Database(path, { readonly: true, timeout: 2000 });
  } catch (error) {
    throw unreadable(path, error);
  }
};

const unreadable = (path: string, error: unknown): StoreError =>
  new StoreError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`, { cause: error });
