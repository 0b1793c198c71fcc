import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import { GPU_METRICS } from '../../core/metrics.ts';
import type { StoreReader } from '../../core/ports.ts';
import { type Gpu, GpuSchema } from '../../core/sample.ts';
import { historySchema, readHistory } from '../history.ts';
import { sendHistory } from '../history-answer.ts';
import { query } from '../parameters.ts';
import { notFound } from '../problem.ts';
import { pageReference, problemResponse } from '../schemas.ts';

/** `/gpus`: inventory, latest samples, history. */
export const gpuRoutes =
  ({ store, clock }: { readonly store: StoreReader; readonly clock: Clock }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/gpus',
      {
        schema: {
          summary: 'Each GPU with its latest sample and its processes',
          tags: ['gpus'],
          querystring: query({}),
          response: { 200: pageReference<Gpu>(GpuSchema), ...problemResponse },
        },
      },
      async () => ({ items: store.listGpus(), next: null }),
    );

    app.get(
      '/gpus/:gpu/history',
      {
        schema: {
          summary: 'History of a GPU',
          tags: ['gpus'],
          params: Type.Object({
            gpu: Type.String({ description: 'its index or its UUID; of a MIG instance 0:1' }),
          }),
          ...historySchema(GPU_METRICS),
        },
      },
      async ({ params, query, headers, signal }, reply) => {
        const gpu = store.listGpus().find(({ gpu, uuid }) => `gpu:${params.gpu}` === gpu || params.gpu === uuid);
        if (gpu === undefined) throw notFound('GPU', params.gpu);
        const subject = { stored: `gpu:${gpu.uuid}`, shown: gpu.gpu };
        const history = await readHistory({ store, subject, catalogue: GPU_METRICS, query, now: clock.now(), signal });
        return sendHistory(history, headers.accept, reply);
      },
    );
  };
