import type { Attempt, EpochRow } from '../../../src/core/run.ts';

/** Both lists as one, by attempt and epoch; where both have a row, that of `newer` stands. */
export const mergeRows = (older: readonly EpochRow[], newer: readonly EpochRow[]): readonly EpochRow[] => {
  const last = older.at(-1);
  const only = newer.length === 1 ? newer[0] : undefined;
  // The usual case, once an epoch: a row at the end.
  if (only && (!last || byAttemptAndEpoch(last, only) < 0)) return [...older, only];
  const rows = new Map([...older, ...newer].map((row) => [`${row.attempt}/${row.epoch}`, row]));
  return [...rows.values()].sort(byAttemptAndEpoch);
};

/**
 * The rows of the training as it stands: the latest attempt with the attempts that it resumed, and of an epoch that
 * was trained again after a resume the later row. What a re-run replaced is left out.
 */
export const currentRows = (rows: readonly EpochRow[], attempts: readonly Attempt[]): readonly EpochRow[] => {
  const first = attempts.findLast((attempt) => attempt.kind !== 'resume')?.attempt ?? 1;
  const byEpoch = new Map(rows.filter((row) => row.attempt >= first).map((row) => [row.epoch, row]));
  return [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
};

const byAttemptAndEpoch = (a: EpochRow, b: EpochRow) => a.attempt - b.attempt || a.epoch - b.epoch;
