import { accessSync, constants, existsSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { textIfAllowed } from '../../collectors/process/files.ts';
import { readDatabaseHeader } from './database-header.ts';
import { tryTo } from './error-code.ts';
import { fileSystemOf } from './folder.ts';
import type { Tell } from './tell.ts';

/** Where the history is kept. Nothing is written, and the file is not opened as a database. */
export type DatabaseFacts = {
  readonly path: string;
  /** The folder of the database, or the nearest one above it that is there: the rest is made at the start. */
  readonly folder: string;
  readonly hasFolder: boolean;
  /** Why we may not write into the folder; null: we may. */
  readonly refusal: string | null;
  readonly fileSystem: string | null;
  readonly freeBytes: number;
  readonly file: DatabaseFile | null;
  readonly holder: Holder;
};

/** Which service has it in use; not known where the kernel does not list its locks. */
export type Holder =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'not-known' };

/** `schema` is that of a database of ours. */
export type DatabaseFile = {
  readonly kind: 'empty' | 'signalbox' | 'other-database' | 'no-database' | 'unreadable';
  readonly schema: number | null;
  readonly bytes: number;
  readonly refusal: string | null;
};

export type DatabaseQuestion = { readonly path: string; readonly procfs: string };

export const readDatabase = async ({ path, procfs }: DatabaseQuestion, tell: Tell): Promise<DatabaseFacts> => {
  tell(`looking at ${dirname(path)}`);
  const folder = nearestFolder(dirname(path));
  const { bsize, bavail } = statfsSync(folder);
  return {
    path,
    folder,
    hasFolder: folder === dirname(path),
    refusal: tryTo(() => accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)),
    fileSystem: fileSystemOf(realpathSync(folder), procfs),
    freeBytes: bavail * bsize,
    file: existsSync(path) ? readFile(path) : null,
    holder: existsSync(path) ? holderOf(`${realpathSync(path)}.lock`, procfs) : { kind: 'nobody' },
  };
};

const nearestFolder = (folder: string): string =>
  existsSync(folder) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));

/** "SGBX", see migrations/0001. */
const APPLICATION_ID = 0x53474258;

const readFile = (path: string): DatabaseFile => {
  const bytes = statSync(path).size;
  const refusal = tryTo(() => accessSync(path, constants.R_OK | constants.W_OK));
  const about = { bytes, refusal, schema: null };
  if (tryTo(() => accessSync(path, constants.R_OK)) !== null) return { ...about, kind: 'unreadable' };
  if (bytes === 0) return { ...about, kind: 'empty' };
  const header = readDatabaseHeader(path);
  if (header === null) return { ...about, kind: 'no-database' };
  if (header.applicationId !== APPLICATION_ID) return { ...about, kind: 'other-database' };
  return { ...about, kind: 'signalbox', schema: header.userVersion };
};

/** SQLite's RESERVED lock is one byte, at this place of the file (RESERVED_BYTE in os.h). */
const RESERVED_BYTE = 0x4000_0001;

/**
 * Who holds the claim of src/store/claim.ts: the kernel lists the lock of the file by its inode in /proc/locks, and the
 * header holds the pid. The list alone says whether it is held now; its own pid is 0 for a process of another namespace.
 */
const holderOf = (lock: string, procfs: string): Holder => {
  if (!existsSync(lock)) return { kind: 'nobody' };
  const locks = textIfAllowed(`${procfs}/locks`);
  if (locks === null) return { kind: 'not-known' };
  const { ino } = statSync(lock);
  const isHeld = locks.split('\n').some((line) => {
    const [, , , kind, , file, from, to] = line.trim().split(/\s+/);
    const holds = Number(from) <= RESERVED_BYTE && (to === 'EOF' || Number(to) >= RESERVED_BYTE);
    return kind === 'WRITE' && file?.split(':')[2] === String(ino) && holds;
  });
  if (!isHeld) return { kind: 'nobody' };
  const header = readDatabaseHeader(lock);
  return header === null ? { kind: 'not-known' } : { kind: 'process', pid: header.userVersion };
};
