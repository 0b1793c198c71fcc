import { Type } from 'typebox';
import { type History, HistorySchema } from '../core/history.ts';
import { type Step, StepSchema } from '../core/output.ts';
import type { StoreReader } from '../core/ports.ts';
import { historyResponse } from './history-answer.ts';
import type { HistoryAnswer } from './history-columns.ts';
import { parseGrid, parseRange } from './history-window.ts';
import { Problem } from './problem.ts';
import { pageReference, reference } from './schemas.ts';

/** Steps one by one, or in buckets; the latter in every format of a history. */
export const stepsResponse = {
  ...historyResponse,
  description: 'A page of steps; with step or points columns of aggregates',
  content: {
    ...historyResponse.content,
    'application/json': { schema: Type.Union([pageReference<Step>(StepSchema), reference<History>(HistorySchema)]) },
  },
};

type Asked = {
  readonly store: StoreReader;
  /** Id of the run. */
  readonly run: string;
  readonly query: {
    from?: string;
    to?: string;
    step?: string;
    points?: number;
    cursor?: string;
  };
  readonly signal: AbortSignal;
};

/** The steps of a run in buckets; from its first step to its last unless a stretch is asked for. */
export const readStepHistory = async ({ store, run, query, signal }: Asked): Promise<HistoryAnswer> => {
  if (query.cursor !== undefined)
    throw new Problem(400, 'cursor: buckets have no pages; leave step and points', 'cursor');
  const range = parseRange(query, spanOf(store, run));
  const { stepMs } = parseGrid(query, range, 0);
  const series = await store.stepHistory(run, { ...range, stepMs }, { signal });
  return { subject: `run:${run}`, ...range, stepMs, ...series };
};

/** From the first to the last step of which the moment is known; else a moment at which there was none. */
const spanOf = (store: StoreReader, run: string): { readonly from: number; readonly to: number } => {
  const [first] = store.listSteps(run, { limit: 1, from: 0 }).items;
  const [last] = store.listSteps(run, { limit: 1, from: 0, newest: true }).items;
  return { from: first?.at ?? 0, to: (last?.at ?? 0) + 1 };
};
