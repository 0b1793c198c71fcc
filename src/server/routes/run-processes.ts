import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import { RUN_METRICS } from '../../core/metrics.ts';
import type { StoreReader } from '../../core/ports.ts';
import { type RunProcess, RunProcessSchema } from '../../core/run-process.ts';
import { historySchema, readHistory } from '../history.ts';
import { sendHistory } from '../history-answer.ts';
import { query } from '../parameters.ts';
import { problemResponse, reference } from '../schemas.ts';
import { findRun, RunParams } from './find-run.ts';

/** `/runs/{id}/processes` and `/runs/{id}/history`: what the processes of a run are and use. */
export const runProcessRoutes =
  ({ store, clock }: { readonly store: StoreReader; readonly clock: Clock }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/runs/:id/processes',
      {
        schema: {
          summary: 'The processes that a run has now: the training, its dataloader workers, its helpers',
          tags: ['runs'],
          params: RunParams,
          querystring: query({}),
          response: {
            200: Type.Object({
              known: Type.Boolean({ description: 'false: it cannot be seen which there are' }),
              items: Type.Array(reference<RunProcess>(RunProcessSchema)),
              next: Type.Null(),
            }),
            ...problemResponse,
          },
        },
      },
      async ({ params }) => {
        const processes = store.listRunProcesses(findRun(store, params.id).id);
        return { known: processes !== null, items: [...(processes ?? [])], next: null };
      },
    );

    app.get(
      '/runs/:id/history',
      {
        schema: {
          summary: 'History of what the processes of a run used together',
          tags: ['runs'],
          params: RunParams,
          ...historySchema(RUN_METRICS),
        },
      },
      async ({ params, query, headers, signal }, reply) => {
        const { id } = findRun(store, params.id);
        const subject = { stored: `run:${id}`, shown: `run:${id}` };
        const history = await readHistory({ store, subject, catalogue: RUN_METRICS, query, now: clock.now(), signal });
        return sendHistory(history, headers.accept, reply);
      },
    );
  };
