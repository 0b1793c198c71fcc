import { createHash } from 'node:crypto';
import { createAttemptSplitter, type FileAttempt } from './attempts.ts';
import { readCsvHeader } from './csv.ts';
import type { ReadRow, ResultValues } from './row.ts';
import { epochsPlannedBy, readTxtRow } from './txt.ts';

/** A row of a result file before it is known when it was written. */
export type ParsedRow = ResultValues & FileAttempt;

/** Parses one result file from its first byte on, as its bytes come. Pure: no file, no clock. */
export type ResultsParser = {
  /**
   * Takes the complete lines at the beginning of `bytes` and says how many bytes that was. What is left over is a
   * line still being written: it has to come again, with what follows it.
   */
  readonly push: (bytes: Buffer) => { readonly rows: readonly ParsedRow[]; readonly taken: number };
  /** Hash of the first line and the next one, without a header of the first row alone; null until they are complete. */
  readonly generation: () => string | null;
  /** How many epochs the training was to have by the last row that says so (`0/299` in results.txt); null: none does. */
  readonly epochsPlanned: () => number | null;
  /** Lines so far that are no rows, an unfinished one with NUL bytes included. */
  readonly rowsKeptOut: () => number;
};

/** No row is longer; a line that is gets skipped instead of being waited for. */
export const MAX_LINE_BYTES = 64 * 1024;

/**
 * A file is `results.txt` until a header says what its columns are; a header further down (another version appended to
 * the file) says it anew. Only a line with its end is a row: without it the last number may be half of one, and a
 * trainer that was killed while writing never ends it.
 */
export const createResultsParser = (): ResultsParser => {
  const splitAttempt = createAttemptSplitter();
  let readRow: ReadRow = readTxtRow;
  let firstLine: string | null = null;
  let generation: string | null = null;
  let epochsPlanned: number | null = null;
  let keptOut = 0;
  let insideLongLine = false;
  let brokenEnd = false;

  const readLine = (text: string): ParsedRow | null => {
    const broken = text.lastIndexOf('\0');
    // A host crash leaves a tail of NUL bytes, and the resumed run appends its next row right behind them.
    if (broken !== -1) keptOut++;
    const line = text.slice(broken + 1).trimEnd();
    if (line === '') return null;
    const header = readCsvHeader(line);
    if (header) {
      readRow = header;
      firstLine ??= line;
      return null;
    }
    const values = readRow(line);
    if (generation === null) {
      if (firstLine === null && values === null) firstLine = line;
      else generation = hash(firstLine ?? '', line);
    }
    if (values) {
      if (readRow === readTxtRow) epochsPlanned = epochsPlannedBy(line);
      return { ...values, ...splitAttempt(values) };
    }
    if (broken === -1) keptOut++;
    return null;
  };

  return {
    push: (bytes) => {
      const end = bytes.lastIndexOf(0x0a) + 1;
      brokenEnd = bytes.includes(0, end);
      if (end === 0) {
        const tooLong = insideLongLine || bytes.length >= MAX_LINE_BYTES;
        if (tooLong && !insideLongLine) keptOut++;
        insideLongLine = tooLong;
        return { rows: [], taken: tooLong ? bytes.length : 0 };
      }
      const lines = bytes.toString('utf8', 0, end - 1).split('\n');
      if (insideLongLine) lines.shift();
      insideLongLine = false;
      return { rows: lines.map(readLine).filter((row) => row !== null), taken: end };
    },
    generation: () => generation,
    epochsPlanned: () => epochsPlanned,
    rowsKeptOut: () => keptOut + (brokenEnd && !insideLongLine ? 1 : 0),
  };
};

const hash = (firstLine: string, line: string): string =>
  createHash('sha256').update(`${firstLine}\n${line}`).digest('hex').slice(0, 32);
