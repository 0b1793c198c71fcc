import type { Database } from 'better-sqlite3';
import type { Range, ReadLimits, StoreReader } from '../../core/ports.ts';
import type { Samples } from '../samples.ts';
import type { Worker } from '../worker/worker.ts';
import { answerHistory, type HistoryInput, historyPieces, percentilePieces } from './answer.ts';
import { createIsCheap } from './cost.ts';
import { createFinestStep } from './finest-step.ts';
import { createReadHot } from './hot-rows.ts';
import type { Piece } from './plan.ts';
import type { Memory, Parts } from './read.ts';
import { COUNTER_GAP_MS } from './rollup.ts';
import { columnsOfSamples } from './sample-columns.ts';
import { createSealedTiers } from './sealed-tiers.ts';
import { seriesOf } from './series.ts';
import { answerStatistics, piecesOf, type StatisticsInput, statisticsMetrics } from './statistics.ts';

/** Samples from so long before what is asked for may matter. */
const LONGEST_MARGIN_MS = COUNTER_GAP_MS;

type Dependencies = {
  readonly db: Database;
  readonly samples: Samples;
  readonly worker: Worker;
};

/**
 * Reads of the history. What costs little is answered at once; the rest by the worker, which is given what lies in
 * memory here, and asked again when an hour was sealed in between.
 */
export const createHistory = ({
  db,
  samples,
  worker,
}: Dependencies): Pick<StoreReader, 'history' | 'finestStep' | 'windowStatistics'> => {
  const sealedNow = createSealedTiers(db);
  const hot = createReadHot(db);
  const partsNow = (): Parts => ({ sealed: sealedNow(), hot, checkEnd: () => {} });
  const isCheap = createIsCheap(db);
  const finestStep = createFinestStep(db);
  const ownTurn = createTurns();

  const refuseUnknown = (subject: string, metrics: readonly string[]): void => {
    const known = samples.metricsOf(subject);
    const unknown = metrics.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new RangeError(`${subject} has no metric ${unknown}`);
  };
  const memoryOf = (
    subject: string,
    metrics: readonly string[],
    { from, to }: Range,
    pieces: readonly Piece[],
  ): Memory => {
    const inStretches = pieces.some(({ tier }) => tier !== 'samples') ? metrics : [];
    return {
      sealings: sealedNow().sealings,
      recent: new Map(inStretches.map((metric) => [metric, samples.recent.columnsOf(subject, metric, from, to)])),
      unread: samples.unread(),
      tail: columnsOfSamples(samples.tailOf(subject), metrics, { from: from - LONGEST_MARGIN_MS, to }),
    };
  };

  return {
    history: async (subject, query, limits) => {
      const { metrics } = query;
      refuseUnknown(subject, metrics);
      const counters = metrics.filter((metric) => samples.isCounter(subject, metric));
      const pieces = historyPieces({ query, counters });
      const input = (): HistoryInput => {
        const memory = memoryOf(subject, metrics, query, pieces);
        return { subject: samples.storedOf(subject), query, counters, pieces, memory };
      };
      const stored = samples.storedOf(subject);
      if (stored === null || isCheap(stored, metrics, [...pieces, ...percentilePieces(query)])) {
        await ownTurn(limits);
        return seriesOf(query, answerHistory(input(), partsNow()));
      }
      return seriesOf(query, await untilFits(() => worker.run('history', input, limits)));
    },
    finestStep: (subject, range) => {
      const stored = samples.storedOf(subject);
      return stored === null ? 0 : finestStep(sealedNow(), stored.id, samples.metricsOf(subject), range);
    },
    windowStatistics: async (subject, query, limits) => {
      refuseUnknown(subject, query.metrics);
      const metrics = statisticsMetrics(query, samples.metricsOf(subject));
      const pieces = query.windows.flatMap(piecesOf);
      const range = {
        from: pieces.reduce((least, { from }) => Math.min(least, from), Infinity),
        to: pieces.reduce((greatest, { to }) => Math.max(greatest, to), -Infinity),
      };
      const input = (): StatisticsInput => {
        const memory = memoryOf(subject, metrics, range, pieces);
        return { subject: samples.storedOf(subject), query, metrics, memory };
      };
      const stored = samples.storedOf(subject);
      if (stored === null || isCheap(stored, metrics, pieces)) {
        await ownTurn(limits);
        return answerStatistics(input(), partsNow());
      }
      return await untilFits(() => worker.run('statistics', input, limits));
    },
  };
};

/**
 * Lets each caller go on in a turn of the loop of its own: many small reads that come at once hold it up no longer than
 * one. Rejects with the signal's reason when nobody waits any more.
 */
const createTurns = () => {
  let last: Promise<unknown> = Promise.resolve();
  return async ({ signal }: ReadLimits = {}): Promise<void> => {
    last = last.then(() => new Promise(setImmediate));
    await last;
    signal?.throwIfAborted();
  };
};

/** Asks until memory and database are of the same moment. */
const untilFits = async <T>(ask: () => Promise<T | null>): Promise<T> => {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
  }
};
