import { createHash } from 'node:crypto';
import { createAttemptSplitter, type FileAttempt } from './results-attempts.ts';
import { type ReadRow, type ResultValues, readCsvHeader } from './results-csv.ts';

/** A row of a result file before it is known when it was written. */
export type ParsedRow = ResultValues & FileAttempt;

/** Parses one result file from its first byte on, as its bytes come. Pure: no file, no clock. */
export type ResultsParser = {
  /**
   * Takes the complete lines at the beginning of `bytes` and says how many bytes that was. What is left over is a
   * line still being written: it has to come again, with what follows it.
   */
  readonly push: (bytes: Buffer) => { readonly rows: readonly ParsedRow[]; readonly taken: number };
  /** Hash of the header and the first line after it; null until both are complete. */
  readonly generation: () => string | null;
  /** Lines so far that are no rows, an unfinished one with NUL bytes included. */
  readonly rowsKeptOut: () => number;
};

/** No row is longer; a line that is gets skipped instead of being waited for. */
export const MAX_LINE_BYTES = 64 * 1024;

/** The format is known by the first line. A file whose first line is no header is lines kept out. */
export const createResultsParser = (): ResultsParser => {
  const splitAttempt = createAttemptSplitter();
  let header: string | null = null;
  let generation: string | null = null;
  let readRow: ReadRow = () => null;
  let keptOut = 0;
  let insideLongLine = false;
  let brokenEnd = false;

  const readLine = (text: string): ParsedRow | null => {
    const broken = text.lastIndexOf('\0');
    // A host crash leaves a tail of NUL bytes, and the resumed run appends its next row right behind them.
    if (broken !== -1) keptOut++;
    const line = text.slice(broken + 1).trimEnd();
    if (line === '') return null;
    if (header === null) {
      header = line;
      readRow = readCsvHeader(line) ?? readRow;
      return null;
    }
    generation ??= createHash('sha256').update(`${header}\n${line}`).digest('hex').slice(0, 32);
    const values = readRow(line);
    if (values) return { ...values, ...splitAttempt(values) };
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
    rowsKeptOut: () => keptOut + (brokenEnd && !insideLongLine ? 1 : 0),
  };
};
