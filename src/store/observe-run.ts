import type { ObservedRow } from '../core/batch.ts';
import type { Store } from '../core/ports.ts';
import type { EpochRow } from '../core/run.ts';
import type { Attempts, OpenAttempt } from './attempts.ts';
import type { Epochs } from './epochs.ts';
import { finite } from './finite.ts';
import type { Runs } from './runs.ts';

/**
 * Takes one look at a run folder into the tables: finds the run and the attempt of every row, and stores what is new.
 * Nothing is ever deleted because a file shrank: what was once read stays.
 */
export const createObserveRun =
  ({ runs, attempts, epochs }: { runs: Runs; attempts: Attempts; epochs: Epochs }): Store['observeRun'] =>
  (observed, host) => {
    const { id, isNew } = runs.find(observed, host);
    const { results } = observed;
    if (results === null) return { id, isNew, rows: [] };

    // Part by part, since where a part belongs and how long the run took before it stands in the rows before it.
    const news = [...partsOf(observed.rows).values()].flatMap((part) => {
      const ownerOf = attempts.ownerOf(id, results, part[0]);
      let owner: OpenAttempt | null = null;
      let elapsedBeforeS: number | null = 0;
      return lastOfEachEpoch(part).flatMap((row) => {
        const next = ownerOf(row);
        if (next !== owner) elapsedBeforeS = next.kind === 'resume' ? epochs.lastElapsedS(id, next.attempt - 1) : 0;
        owner = next;
        return epochs.put(id, rowOf(row, owner.attempt, elapsedBeforeS)) ?? [];
      });
    });
    return { id, isNew, rows: news };
  };

/** The rows by their attempt of the file, in file order. */
const partsOf = (rows: readonly ObservedRow[]): Map<number, Part> => {
  const parts = new Map<number, Part>();
  for (const row of rows) {
    const part = parts.get(row.fileAttempt);
    if (part === undefined) parts.set(row.fileAttempt, [row]);
    else part.push(row);
  }
  return parts;
};
type Part = [ObservedRow, ...ObservedRow[]];

/** In file order, without the rows whose epoch is written again further down. */
const lastOfEachEpoch = (rows: readonly ObservedRow[]): readonly ObservedRow[] => {
  const last = new Map(rows.map((row) => [row.epoch, row]));
  return last.size === rows.length ? rows : rows.filter((row) => last.get(row.epoch) === row);
};

/** `elapsedBeforeS`: seconds of training before this attempt that it goes on from; null when not known. */
const rowOf = (row: ObservedRow, attempt: number, elapsedBeforeS: number | null): EpochRow => {
  const elapsedS = finite(row.elapsedS);
  return {
    attempt,
    epoch: row.epoch,
    at: row.at,
    atSource: row.atSource,
    elapsedS,
    runElapsedS: elapsedS === null || elapsedBeforeS === null ? null : elapsedBeforeS + elapsedS,
    metrics: Object.values(row.metrics).every(isStorable)
      ? row.metrics
      : Object.fromEntries(Object.entries(row.metrics).map(([name, value]) => [name, finite(value)])),
    ...(row.nonFinite && { nonFinite: row.nonFinite }),
  };
};

/** Neither SQLite nor JSON keeps what is not finite. */
const isStorable = (value: number | null): boolean => value === finite(value);
