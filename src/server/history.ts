import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type History, HistorySchema } from '../core/history.ts';
import type { Series, StoreReader } from '../core/ports.ts';
import { formatCsv, wantsCsv } from './csv.ts';
import { parseWindow, windowParameters } from './history-window.ts';
import { parseWords, query, wordsParameter } from './parameters.ts';
import { jsonOrCsv, problemResponse, reference } from './schemas.ts';

/** Aggregates that every history carries; others come with the tiers that can answer them. */
const AGGREGATES = ['avg', 'min', 'max', 'count'] as const;

type Catalogue = Readonly<Record<string, unknown>>;

/** The query and the answers of a history route over the metrics of one catalogue. */
export const historySchema = (catalogue: Catalogue) => ({
  querystring: query({
    metrics: Type.Optional(wordsParameter(Object.keys(catalogue))),
    agg: Type.Optional(wordsParameter(AGGREGATES)),
    ...windowParameters,
  }),
  response: { 200: jsonOrCsv('Columns of aggregates', reference<History>(HistorySchema)), ...problemResponse },
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
  };
  readonly now: number;
};

/** All metrics of the catalogue unless some are asked for. */
export const readHistory = ({ store, subject, catalogue, query, now }: Asked): Series & Omit<History, keyof Series> => {
  const window = parseWindow(query, now);
  parseWords('agg', query.agg, AGGREGATES);
  const known = Object.keys(catalogue);
  const metrics = [...new Set(parseWords('metrics', query.metrics, known) ?? known)];
  return { subject: subject.shown, ...window, ...store.history(subject.stored, { metrics, ...window }) };
};

/** Answers with the history as JSON, or as CSV (one line a bucket) where the client asks for it. */
export const sendHistory = (
  history: ReturnType<typeof readHistory>,
  accept: string | undefined,
  reply: FastifyReply,
): FastifyReply => {
  if (!wantsCsv(accept)) return reply.send(history);
  const metrics = Object.entries(history.metrics);
  const header = ['t', ...metrics.flatMap(([name]) => AGGREGATES.map((aggregate) => `${name}.${aggregate}`))];
  const rows = history.t.map((t, i) => [
    t,
    ...metrics.flatMap(([, columns]) => AGGREGATES.map((aggregate) => columns[aggregate][i] ?? null)),
  ]);
  return reply.type('text/csv; charset=utf-8').send(formatCsv(header, rows));
};
