import type { GpuRow } from './csv.ts';

/** All GPUs of one tick. `at` is the arrival of the first line: one moment for all of them. */
export type GpuRound = { readonly at: number; readonly rows: readonly GpuRow[] };

/**
 * Puts lines together to rounds. The program prints no mark between two rounds: one ends when as many lines came as
 * last time (at first, as the driver counts GPUs), or when the index stops rising. A GPU that is lost or comes back
 * makes one round late or split; no line is dropped.
 */
export const createGpuRounds = () => {
  let expected: number | null = null;
  let seen = 0;
  let lastIndex = Number.POSITIVE_INFINITY;
  let open: { at: number; rows: GpuRow[] } = { at: 0, rows: [] };

  const close = (): GpuRound[] => {
    if (open.rows.length === 0) return [];
    const round = open;
    open = { at: round.at, rows: [] };
    return [round];
  };

  return {
    /** Takes one line; returns the rounds that it ends. */
    add: (row: GpuRow, now: number): readonly GpuRound[] => {
      const ended: GpuRound[] = [];
      if (row.index <= lastIndex) {
        if (seen > 0) expected = seen;
        ended.push(...close());
        open = { at: now, rows: [] };
        seen = 0;
      }
      open.rows.push(row);
      seen += 1;
      lastIndex = row.index;
      if (seen >= (expected ?? row.count ?? 1)) ended.push(...close());
      return ended;
    },
  };
};
