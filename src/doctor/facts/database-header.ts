import { closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs';

/** What the header of an SQLite file says of its maker and its version. */
export type DatabaseHeader = { readonly applicationId: number; readonly userVersion: number };

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

/**
 * Reads the header without opening the file as a database (sqlite.org/fileformat.html, all numbers big-endian). What was
 * written last may still be in the write-ahead log beside it, and then counts. null: it is no SQLite database.
 */
export const readDatabaseHeader = (path: string): DatabaseHeader | null => {
  const header = withFile(path, (read) => read(HEADER_BYTES, 0));
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  const newest = newestInLog(`${path}-wal`) ?? header;
  return {
    applicationId: newest.readUInt32BE(APPLICATION_ID_AT),
    userVersion: newest.readUInt32BE(USER_VERSION_AT),
  };
};

const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const PAGE_SIZE_AT = 8;
const LOG_SALTS_AT = 16;
const FRAME_SALTS_AT = 8;
const SALTS_BYTES = 8;
const FIRST_PAGE = 1;
/** More than the log grows to before it is taken into the file. */
const MOST_BYTES = 64 * 2 ** 20;

/**
 * The first page's beginning as the log last had it. Frames whose salts are not those of the log are left from before it
 * began anew. One that is not committed yet makes no difference to a version.
 */
const newestInLog = (path: string): Buffer | null => {
  if (!existsSync(path)) return null;
  const end = Math.min(statSync(path).size, MOST_BYTES);
  if (end < LOG_HEADER_BYTES) return null;
  return withFile(path, (read) => {
    const log = read(LOG_HEADER_BYTES, 0);
    const salts = log.subarray(LOG_SALTS_AT, LOG_SALTS_AT + SALTS_BYTES);
    const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(PAGE_SIZE_AT);
    let newest: Buffer | null = null;
    for (let at = LOG_HEADER_BYTES; at + frameBytes <= end; at += frameBytes) {
      const frame = read(FRAME_HEADER_BYTES, at);
      if (!salts.equals(frame.subarray(FRAME_SALTS_AT, FRAME_SALTS_AT + SALTS_BYTES))) break;
      if (frame.readUInt32BE(0) === FIRST_PAGE) newest = read(HEADER_BYTES, at + FRAME_HEADER_BYTES);
    }
    return newest;
  });
};

type Read = (bytes: number, at: number) => Buffer;

/** A file that ends early gives zeros. */
const withFile = <T>(path: string, use: (read: Read) => T): T => {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return use((bytes, at) => {
      const buffer = Buffer.alloc(bytes);
      readSync(descriptor, buffer, 0, bytes, at);
      return buffer;
    });
  } finally {
    closeSync(descriptor);
  }
};
