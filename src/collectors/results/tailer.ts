import type { BigIntStats } from 'node:fs';
import type { ObservedResults, ObservedRow } from '../../core/batch.ts';
import { type FileAccess, type OpenFile, patientAccess } from '../file/access.ts';
import { isSameFile, isUnchanged } from '../file/stat.ts';
import { createResultsTail } from './tail.ts';
import { dateRows } from './times.ts';

/** What one look at a result file found. */
export type TailLook = {
  /** null while there is no file, or not yet a header with a complete first row. */
  readonly results: ObservedResults | null;
  /** Rows since the last look; all of them at the first, and again after the file was rewritten. */
  readonly rows: readonly ObservedRow[];
};

/** Reads one result file as it grows. Holds no descriptor between looks: on NFS that would keep deleted files alive. */
export type ResultsTailer = {
  /** Throws what the file system throws (EACCES, EIO) and the signal's reason; the next look then reads all again. */
  readonly look: (signal: AbortSignal, access?: FileAccess) => Promise<TailLook>;
  /** What the last look said got lost: the next one says everything again. */
  readonly startOver: () => void;
};

/**
 * Tails the file at `path`, which need not exist yet.
 *
 * A file is known by its inode and birth and by the bytes that were taken from it. The same inode with the same last
 * bytes has grown. Another inode is a continuation when it begins with all the bytes taken (rsync writes a new file
 * each time). Anything else is read anew from its first byte, and then its generation decides: the same header and
 * first row, to the last digit, is the same training rewritten (YOLOv7's resume shortens its file); another one is
 * `fresh`, a re-run. Not to be told is a re-run into a new file whose first row is the old one's to the last digit: it
 * takes a file without `time`, a trainer that repeats itself exactly, and somebody who deleted the old file. Its rows
 * count as the old ones, which they are, until one differs.
 *
 * Only the bytes that one stat counted are read, so that its mtime belongs to them. Bytes that come later come with
 * a hint or a poll of their own.
 */
export const createResultsTailer = (path: string): ResultsTailer => {
  let tail = createResultsTail();
  /** The file as the last look found it; null when it was not there, or was cut under that look. */
  let seen: BigIntStats | null = null;
  /** The generation that looks before the last one said, and the one that the last look said. */
  let said: string | null = null;
  let saying: string | null = null;

  const startOver = () => {
    tail = createResultsTail();
    seen = null;
    saying = said;
  };

  const continues = async (file: OpenFile, found: BigIntStats, signal: AbortSignal): Promise<boolean> => {
    if (found.size < tail.taken()) return false;
    return isSameFile(seen, found) ? tail.endsAlike(file) : tail.beginsAlike(file, signal);
  };

  const read = async (file: OpenFile, found: BigIntStats, signal: AbortSignal): Promise<readonly ObservedRow[]> => {
    if (!(await continues(file, found, signal))) tail = createResultsTail();
    const { rows, cut } = await tail.readOn(file, Number(found.size), signal);
    seen = cut ? null : found;
    return dateRows(rows, Number(found.mtimeMs));
  };

  const describe = (found: BigIntStats): ObservedResults | null => {
    const generation = tail.generation();
    if (generation === null) return null;
    saying = generation;
    return {
      generation,
      inode: Number(found.ino),
      fresh: said !== null && said !== generation,
      mtimeAt: Number(found.mtimeMs),
      size: Number(found.size),
      rowsKeptOut: tail.rowsKeptOut(),
      epochsPlanned: tail.epochsPlanned(),
    };
  };

  const look = async (signal: AbortSignal, access: FileAccess): Promise<TailLook> => {
    said = saying;
    const found = await access.stat(path);
    if (found === null) return nothing();
    let rows: readonly ObservedRow[] = [];
    if (!isUnchanged(seen, found)) {
      const file = await access.open(path);
      if (file === null) return nothing();
      try {
        rows = await read(file, found, signal);
      } finally {
        await file.close();
      }
    }
    return { results: describe(found), rows };
  };

  const nothing = (): TailLook => {
    seen = null;
    return { results: null, rows: [] };
  };

  return {
    look: async (signal, access = patientAccess) => {
      try {
        return await look(signal, access);
      } catch (error) {
        startOver();
        throw error;
      }
    },
    startOver,
  };
};
