import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import { HOST_METRICS } from '../../core/metrics.ts';
import type { StoreReader } from '../../core/ports.ts';
import { type Host, HostSchema } from '../../core/sample.ts';
import { historySchema, readHistory } from '../history.ts';
import { sendHistory } from '../history-answer.ts';
import { query } from '../parameters.ts';
import { notFound } from '../problem.ts';
import { pageReference, problemResponse } from '../schemas.ts';

/** `/hosts`: facts, latest samples, history. */
export const hostRoutes =
  ({ store, clock }: { readonly store: StoreReader; readonly clock: Clock }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/hosts',
      {
        schema: {
          summary: 'Each host with its latest sample',
          tags: ['hosts'],
          querystring: query({}),
          response: { 200: pageReference<Host>(HostSchema), ...problemResponse },
        },
      },
      async () => ({ items: store.listHosts(), next: null }),
    );

    app.get(
      '/hosts/:host/history',
      {
        schema: {
          summary: 'History of a host',
          tags: ['hosts'],
          params: Type.Object({ host: Type.String({ description: 'its name' }) }),
          ...historySchema(HOST_METRICS),
        },
      },
      async ({ params, query, headers, signal }, reply) => {
        const host = store.listHosts().find(({ name }) => params.host === name);
        if (host === undefined) throw notFound('host', params.host);
        const subject = { stored: host.host, shown: host.host };
        const history = await readHistory({ store, subject, catalogue: HOST_METRICS, query, now: clock.now(), signal });
        return sendHistory(history, headers.accept, reply);
      },
    );
  };
