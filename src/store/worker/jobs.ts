import type { Database } from 'better-sqlite3';
import type { Series } from '../../core/ports.ts';
import type { WindowStatistics } from '../../core/window-statistics.ts';
import { answerHistory, type HistoryAnswer, type HistoryInput } from '../history/answer.ts';
import { createReadHot } from '../history/hot-rows.ts';
import type { Memory } from '../history/read.ts';
import { createSealHour, type Sealed, type SealInput } from '../history/seal.ts';
import { createSealedTiers, type SealedTiers } from '../history/sealed-tiers.ts';
import { answerStatistics, type StatisticsInput } from '../history/statistics.ts';
import { createReadSteps, type StepHistoryInput } from '../step-buckets.ts';

/** What may take long, and is therefore done by the worker thread. Inputs and outputs are cloned on their way. */
export type Jobs = {
  /** Reads an hour of a subject and encodes it; null: there is nothing new in it. */
  readonly seal: { readonly input: SealInput; readonly output: Sealed | null };
  /** null: an hour was sealed since the memory that is in the input was looked at. */
  readonly history: { readonly input: HistoryInput; readonly output: HistoryAnswer | null };
  readonly steps: { readonly input: StepHistoryInput; readonly output: Series };
  readonly statistics: { readonly input: StatisticsInput; readonly output: readonly WindowStatistics[] | null };
};

/** Throws when nobody waits for the job any more; looked at every few milliseconds. */
export type CheckEnd = () => void;

/** The jobs over one connection, which may be read-only. They are synchronous. */
export const createJobs = (
  db: Database,
): { readonly [K in keyof Jobs]: (input: Jobs[K]['input'], checkEnd: CheckEnd) => Jobs[K]['output'] } => {
  const sealedNow = createSealedTiers(db);
  const hot = createReadHot(db);
  /** null: what the input says of memory is of another moment. */
  const orStale = <T>({ memory }: { readonly memory: Memory }, answer: (sealed: SealedTiers) => T): T | null => {
    const sealed = sealedNow();
    return sealed.sealings === memory.sealings ? answer(sealed) : null;
  };
  return {
    seal: createSealHour(db),
    steps: createReadSteps(db),
    history: (input, checkEnd) => orStale(input, (sealed) => answerHistory(input, { sealed, hot, checkEnd })),
    statistics: (input, checkEnd) => orStale(input, (sealed) => answerStatistics(input, { sealed, hot, checkEnd })),
  };
};
