import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { StoreError } from './store-error.ts';

/**
 * Brings a database up to the newest schema: every `NNNN-….sql` of the folder above its `user_version`, in order, one
 * transaction each. Throws {@link StoreError} when the database is newer than this code, or is not ours at all.
 */
export const migrate = (db: Database, folder: string): void => {
  const migrations = readMigrations(folder);
  const version = Number(db.pragma('user_version', { simple: true }));
  const foreign = version === 0 ? hasTables(db) : db.pragma('application_id', { simple: true }) !== APPLICATION_ID;
  if (foreign) {
    throw new StoreError(`${db.name} is the database of another program; expected one that Signalbox made`);
  }
  if (version > migrations.length) {
    throw new StoreError(
      `${db.name} was written by a newer Signalbox: its schema is ${version}, this one knows up to ${migrations.length}`,
    );
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    }).immediate();
  }
};

/** "SGBX", set by the first migration. */
export const APPLICATION_ID = 0x53474258;

const hasTables = (db: Database): boolean => db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;

/** The number of the newest migration of a folder. */
export const newestSchemaIn = (folder: string): number => readMigrations(folder).length;

/** The SQL of every migration, in order; number 1 first, none missing. */
const readMigrations = (folder: string): string[] => {
  const names = readdirSync(folder)
    .filter((name) => /^\d{4}-.+\.sql$/.test(name))
    .sort();
  for (const [index, name] of names.entries()) {
    if (Number(name.slice(0, 4)) !== index + 1) {
      throw new StoreError(`${join(folder, name)}: expected the migration with number ${index + 1} here`);
    }
  }
  if (names.length === 0) throw new StoreError(`${folder}: expected the migrations NNNN-….sql here, found none`);
  return names.map((name) => readFileSync(join(folder, name), 'utf8'));
};
