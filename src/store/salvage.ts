import { existsSync, renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { openChunk } from './chunks/chunk.ts';
import { migrate } from './migrate.ts';
import { type DamagedTable, isDamage, readDamaged, type Stored } from './salvage-rows.ts';

/** What came of a damaged database. */
export type Salvaged = {
  /** Where the damaged one is now, with its log beside it, as it was found. */
  readonly setAside: string;
  /** Rows that the new one has, by table. */
  readonly saved: Readonly<Record<string, number>>;
  /** Tables that could not be read to their end. */
  readonly incomplete: readonly string[];
};

const FILES = ['', '-wal', '-shm'] as const;

/**
 * Makes a new database of all that can be read of a damaged one, row by row, and puts it in its place; the damaged one
 * is renamed and not changed. `path` is the real name; who calls holds the claim on it. Killed at any moment, the damaged
 * one is where it was, or aside. `now`: ms, for its name.
 */
export const salvage = ({
  path,
  migrations,
  now,
}: {
  readonly path: string;
  readonly migrations: string;
  readonly now: number;
}): Salvaged => {
  const fresh = `${path}.salvaging`;
  for (const suffix of [...FILES, '-journal']) rmSync(`${fresh}${suffix}`, { force: true });
  // Read-only: not even its log is taken into the file.
  const damaged = new Database(path, { readonly: true });
  const target = new Database(fresh);
  let copied: Omit<Salvaged, 'setAside'>;
  try {
    target.pragma('auto_vacuum = INCREMENTAL');
    migrate(target, migrations);
    copied = copy(damaged, target);
  } finally {
    damaged.close();
    target.close();
  }
  const setAside = freeName(`${path}.damaged-${stampOf(now)}`);
  for (const suffix of FILES)
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${setAside}${suffix}`);
  renameSync(fresh, path);
  return { setAside, ...copied };
};

/** 20260131-235959, UTC. */
const stampOf = (now: number): string =>
  new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

const freeName = (name: string, number = 1): string => {
  const candidate = number === 1 ? name : `${name}-${number}`;
  return existsSync(candidate) ? freeName(name, number + 1) : candidate;
};

const copy = (damaged: Database.Database, target: Database.Database): Omit<Salvaged, 'setAside'> => {
  target.pragma('foreign_keys = OFF');
  // In the order in which they were made: a table that is referred to comes before those that refer to it.
  const tables = target
    .prepare<[], { name: string; isKeyed: number }>(`
      SELECT t.name, t.wr AS isKeyed FROM sqlite_schema AS s JOIN pragma_table_list AS t ON t.name = s.name
      WHERE t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' ORDER BY s.rowid`)
    .all();
  const incomplete = tables.flatMap(({ name, isKeyed }) =>
    target.transaction(() => copyTable(damaged, target, { name, isKeyed: isKeyed === 1 }))() ? [] : [name],
  );
  for (const { name } of tables) dropOrphans(target, name);
  const countOf = (name: string) => target.prepare<[], number>(`SELECT count(*) FROM ${name}`).pluck().get() ?? 0;
  return { saved: Object.fromEntries(tables.map(({ name }) => [name, countOf(name)])), incomplete };
};

/** Returns whether all of it was readable. */
const copyTable = (
  damaged: Database.Database,
  target: Database.Database,
  { name, isKeyed }: { readonly name: string; readonly isKeyed: boolean },
): boolean => {
  const known = columnsOf(target, name);
  const columns = columnsOf(damaged, name);
  if (columns === null || known === null) return false;
  // A table that its schema did not have yet.
  if (columns.length === 0) return true;
  const shared = columns.map((column) => column.name).filter((column) => known.some(({ name }) => name === column));
  const ofKey = known.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  const table: DamagedTable = { name, key: isKeyed ? ofKey.map(({ name }) => name) : ['rowid'], columns: shared };
  const insert = target.prepare<Stored[]>(
    `INSERT OR ${name === 'meta' ? 'REPLACE' : 'IGNORE'} INTO ${name} (${shared}) VALUES (${shared.map(() => '?')})`,
  );
  const isSound = soundness(target, name, shared);
  const runs = target.prepare<[], string>('SELECT id FROM runs').pluck().all();
  let isWhole = true;
  const isRead = readDamaged(damaged, table, runs, (row) => {
    // Events may be lost, and their numbers given again: cursors of the damaged database must be foreign to this one.
    if (name === 'meta' && row[shared.indexOf('key')] === 'id') return;
    if (isSound(row)) insert.run(...row);
    else isWhole = false;
  });
  return isRead && isWhole;
};

/** Empty: there is no such table; null: the schema itself cannot be read. */
const columnsOf = (db: Database.Database, table: string): readonly { name: string; pk: number }[] | null => {
  try {
    return db.prepare<[string], { name: string; pk: number }>('SELECT name, pk FROM pragma_table_info(?)').all(table);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return null;
  }
};

/** Whether a row is worth keeping: chunks must open. */
const soundness = (
  target: Database.Database,
  table: string,
  columns: readonly string[],
): ((row: readonly Stored[]) => boolean) => {
  const at = (row: readonly Stored[], column: string) => row[columns.indexOf(column)];
  if (table !== 'raw_chunks' && table !== 'minute_chunks') return () => true;
  const layout = target.prepare<[Stored], string>('SELECT names FROM layouts WHERE id = ?').pluck();
  return (row) => {
    const body = at(row, 'body');
    const names: unknown = JSON.parse(layout.get(at(row, 'layout') ?? null) ?? 'null');
    return body instanceof Buffer && Array.isArray(names) && opens(names.map(String), body);
  };
};

const opens = (names: readonly string[], body: Buffer): boolean => {
  try {
    const chunk = openChunk({ names, body });
    chunk.at();
    for (const name of names) chunk.column(name);
    return true;
  } catch {
    // Whatever is wrong with it: nobody could read it later.
    return false;
  }
};

/** Rows whose run, or attempt, is lost belong to nothing: that run comes anew, with its rows, from its own files. */
const dropOrphans = (target: Database.Database, table: string): void => {
  const references = target
    .prepare<[string], { parent: string; columns: string; keys: string }>(`
      SELECT "table" AS parent, group_concat("from") AS columns, group_concat("to") AS keys
      FROM pragma_foreign_key_list(?) GROUP BY id`)
    .all(table);
  for (const { parent, columns, keys } of references) {
    target.exec(`DELETE FROM ${table} WHERE (${columns}) NOT IN (SELECT ${keys} FROM ${parent})`);
  }
};
