import type { ObservedRow } from '../../core/batch.ts';
import type { ParsedRow } from './parser.ts';

/**
 * Says when rows were written, in file order. The last one was written when the file was (`mtimeAt`).
 * Earlier ones are reckoned back from it by their `time`, as far as it rises without a break: the pause before a resume
 * is in no column.
 */
export const dateRows = (rows: readonly ParsedRow[], mtimeAt: number): readonly ObservedRow[] => {
  const dated: ObservedRow[] = [];
  let at: number | null = mtimeAt;
  let later: ParsedRow | null = null;
  for (const row of rows.toReversed()) {
    if (later) at = earlier(at, row, later);
    dated.push({ ...row, at, atSource: at === null ? null : later ? 'time' : 'mtime' });
    later = row;
  }
  return dated.reverse();
};

const earlier = (at: number | null, row: ParsedRow, later: ParsedRow): number | null => {
  if (at === null || row.elapsedS === null || later.elapsedS === null) return null;
  if (row.fileAttempt !== later.fileAttempt) return null;
  return Math.round(at - (later.elapsedS - row.elapsedS) * 1000);
};
