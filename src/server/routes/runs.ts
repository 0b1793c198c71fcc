import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { StoreReader } from '../../core/ports.ts';
import {
  type Attempt,
  AttemptSchema,
  type EpochRow,
  EpochRowSchema,
  RUN_STATES,
  type Run,
  RunSchema,
} from '../../core/run.ts';
import { formatCsv, wantsCsv } from '../csv.ts';
import { pageQuery, paging, parseWords, query, wordsParameter } from '../parameters.ts';
import { jsonOrCsv, pageReference, problemResponse, reference } from '../schemas.ts';
import { findRun, RunParams } from './find-run.ts';

const RUNS = 100;
const EPOCHS = 1000;

/** `/runs`: the trainings, their epoch rows and their attempts. */
export const runRoutes =
  ({ store }: { readonly store: StoreReader }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/runs',
      {
        schema: {
          summary: 'Runs, newest first',
          tags: ['runs'],
          querystring: query({
            state: Type.Optional(wordsParameter(RUN_STATES)),
            q: Type.Optional(Type.String({ description: 'text in the name, path or model' })),
            ...paging(RUNS),
          }),
          response: { 200: pageReference<Run>(RunSchema), ...problemResponse },
        },
      },
      async ({ query }) =>
        store.listRuns({
          ...pageQuery(query, RUNS),
          states: parseWords('state', query.state, RUN_STATES),
          text: query.q,
        }),
    );

    app.get(
      '/runs/:id',
      {
        schema: {
          summary: 'One run',
          tags: ['runs'],
          params: RunParams,
          querystring: query({}),
          response: { 200: reference<Run>(RunSchema), ...problemResponse },
        },
      },
      async ({ params }) => findRun(store, params.id),
    );

    app.get(
      '/runs/:id/epochs',
      {
        schema: {
          summary: 'Epoch rows of a run, by attempt and epoch',
          tags: ['runs'],
          params: RunParams,
          querystring: query({
            from: Type.Optional(EpochParameter),
            to: Type.Optional(EpochParameter),
            attempt: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
            ...paging(EPOCHS),
          }),
          response: { 200: jsonOrCsv('Epoch rows', pageReference<EpochRow>(EpochRowSchema)), ...problemResponse },
        },
      },
      async ({ params, query, headers }, reply) => {
        const { id } = findRun(store, params.id);
        const { from, to, attempt } = query;
        const page = store.listEpochs(id, { ...pageQuery(query, EPOCHS), from, to, attempt });
        if (!wantsCsv(headers.accept)) return page;
        if (page.next !== null) reply.header('signalbox-next', page.next);
        return reply.type('text/csv; charset=utf-8').send(epochsCsv(page.items));
      },
    );

    app.get(
      '/runs/:id/attempts',
      {
        schema: {
          summary: 'Processes of a run, oldest first',
          tags: ['runs'],
          params: RunParams,
          querystring: query({}),
          response: { 200: pageReference<Attempt>(AttemptSchema), ...problemResponse },
        },
      },
      async ({ params }) => ({ items: store.listAttempts(findRun(store, params.id).id), next: null }),
    );
  };

const EpochParameter = Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'an epoch, inclusive' });

/** The trainer's columns in the order of their first row; a value that was not finite is written as it was logged. */
const epochsCsv = (rows: readonly EpochRow[]): string => {
  const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))];
  return formatCsv(
    ['attempt', 'epoch', 'at', 'elapsedS', 'runElapsedS', ...metrics],
    rows.map((row) => [
      row.attempt,
      row.epoch,
      row.at,
      row.elapsedS,
      row.runElapsedS,
      ...metrics.map((name) => row.nonFinite?.[name] ?? row.metrics[name] ?? null),
    ]),
  );
};
