import { createHash } from 'node:crypto';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { OpenFile } from '../file/access.ts';
import { readAt } from '../file/read.ts';
import { createResultsParser, type ParsedRow } from './parser.ts';

/** What of one result file was taken so far, and enough of it to recognise the file again. */
export type ResultsTail = {
  readonly generation: () => string | null;
  readonly epochsPlanned: () => number | null;
  readonly rowsKeptOut: () => number;
  /** Bytes of complete lines, from the file's beginning. */
  readonly taken: () => number;
  /** Whether the file still ends with the bytes that were taken last, at the place where they were. */
  readonly endsAlike: (file: OpenFile) => Promise<boolean>;
  /** Whether the file begins with all the bytes that were taken. Reads them. */
  readonly beginsAlike: (file: OpenFile, signal: AbortSignal) => Promise<boolean>;
  /** Takes complete lines up to byte `end`; `cut`: the file turned out to be shorter than that. */
  readonly readOn: (
    file: OpenFile,
    end: number,
    signal: AbortSignal,
  ) => Promise<{ readonly rows: readonly ParsedRow[]; readonly cut: boolean }>;
};

/** Takes a few milliseconds to parse; between two of them everybody else gets a turn. */
const CHUNK_BYTES = 256 * 1024;
const LAST_BYTES = 256;

/** Nothing taken yet. */
export const createResultsTail = (): ResultsTail => {
  const parser = createResultsParser();
  const hash = createHash('sha256');
  let taken = 0;
  let last = Buffer.alloc(0);

  return {
    generation: parser.generation,
    epochsPlanned: parser.epochsPlanned,
    rowsKeptOut: parser.rowsKeptOut,
    taken: () => taken,

    endsAlike: async (file) => last.equals(await readAt(file, taken - last.length, last.length)),

    beginsAlike: async (file, signal) => {
      const found = createHash('sha256');
      for (let position = 0; position < taken; position += CHUNK_BYTES) {
        if (position > 0) await othersTurn();
        signal.throwIfAborted();
        found.update(await readAt(file, position, Math.min(CHUNK_BYTES, taken - position)));
      }
      return found.digest().equals(hash.copy().digest());
    },

    readOn: async (file, end, signal) => {
      const rows: ParsedRow[] = [];
      // Also when there is nothing to take: the unfinished line that was there may have been cut off.
      for (let first = true; first || taken < end; first = false) {
        if (!first) await othersTurn();
        signal.throwIfAborted();
        const wanted = Math.min(CHUNK_BYTES, end - taken);
        const bytes = await readAt(file, taken, wanted);
        const lines = parser.push(bytes);
        for (const row of lines.rows) rows.push(row);
        if (lines.taken > 0) {
          const piece = bytes.subarray(0, lines.taken);
          hash.update(piece);
          last = Buffer.from(piece.subarray(-LAST_BYTES));
          taken += lines.taken;
        }
        if (bytes.length < wanted) return { rows, cut: true };
        if (lines.taken === 0) break;
      }
      return { rows, cut: false };
    },
  };
};
