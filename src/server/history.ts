import { Type } from 'typebox';
import { FURTHER_AGGREGATES, USUAL_AGGREGATES } from '../core/history.ts';
import type { Metric } from '../core/metrics.ts';
import type { StoreReader } from '../core/ports.ts';
import { historyResponse } from './history-answer.ts';
import type { HistoryAnswer } from './history-columns.ts';
import { parseGrid, parseRange, windowParameters, zoneParameter } from './history-window.ts';
import { parseWords, query, wordsParameter } from './parameters.ts';
import { badParameter } from './problem.ts';
import { busyResponse, problemResponse } from './schemas.ts';

const AGGREGATES = [...USUAL_AGGREGATES, ...FURTHER_AGGREGATES];

type Catalogue = Readonly<Record<string, Metric>>;

/** The query and the answers of a history route over the metrics of one catalogue. */
export const historySchema = (catalogue: Catalogue) => ({
  querystring: query({
    metrics: Type.Optional(wordsParameter(Object.keys(catalogue))),
    agg: Type.Optional(wordsParameter(AGGREGATES)),
    ...windowParameters,
    ...zoneParameter,
  }),
  response: { 200: historyResponse, ...problemResponse, ...busyResponse },
});

/** `stored` is the store's subject (`gpu:UUID`), `shown` the one that clients know (`gpu:0`). */
type Asked = {
  readonly store: StoreReader;
  readonly subject: { readonly stored: string; readonly shown: string };
  readonly catalogue: Catalogue;
  readonly query: {
    metrics?: string;
    agg?: string;
    from?: string;
    to?: string;
    step?: string;
    points?: number;
    tz?: string;
  };
  readonly now: number;
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal;
};

/** All metrics of the catalogue unless some are asked for. */
export const readHistory = async (asked: Asked): Promise<HistoryAnswer> => {
  const { store, subject, catalogue, query, now, signal } = asked;
  const range = parseRange(query, { to: now });
  const known = Object.keys(catalogue);
  const metrics = [...new Set(parseWords('metrics', query.metrics, known) ?? known)];
  const aggregates = parseWords('agg', query.agg, AGGREGATES) ?? [];
  if (aggregates.includes('rate')) requireCounter(catalogue, metrics);
  const further = FURTHER_AGGREGATES.filter((name) => aggregates.includes(name));
  const { edges, ...grid } = parseGrid(query, range, store.finestStep(subject.stored, range));
  const series = await store.history(subject.stored, { metrics, ...range, edges, further }, { signal });
  return { subject: subject.shown, ...range, ...grid, ...series };
};

/** A rate is of counters: throws a 400 when none of the metrics is one. */
const requireCounter = (catalogue: Catalogue, metrics: readonly string[]): void => {
  if (metrics.some((name) => catalogue[name]?.counter)) return;
  const counters = Object.keys(catalogue).filter((name) => catalogue[name]?.counter);
  const use = counters.length === 0 ? 'another aggregate: nothing is counted here' : `it for ${counters.join(', ')}`;
  throw badParameter('agg', 'rate', use);
};
