import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import { type CollectorHealth, collectorStateOf } from '../../core/collector-health.ts';
import type { StoreReader } from '../../core/ports.ts';
import { type Readiness, ReadinessSchema } from '../../core/service.ts';
import { query } from '../parameters.ts';
import { problemResponse, reference } from '../schemas.ts';

type Parts = {
  readonly store: StoreReader;
  readonly clock: Clock;
  readonly health: () => readonly CollectorHealth[];
};

/** `/healthz`: the process answers. `/readyz`: it also does its work. */
export const healthRoutes =
  ({ store, clock, health }: Parts): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/healthz',
      {
        config: { open: true },
        schema: {
          summary: 'The process is up; needs no token',
          tags: ['health'],
          querystring: query({}),
          response: { 200: Type.Object({ status: Type.Literal('ok') }), ...problemResponse },
        },
      },
      async () => ({ status: 'ok' as const }),
    );

    app.get(
      '/readyz',
      {
        schema: {
          summary: 'Each collector and the database; 503 when nothing can be collected or stored',
          tags: ['health'],
          querystring: query({}),
          response: {
            200: reference<Readiness>(ReadinessSchema),
            503: reference<Readiness>(ReadinessSchema),
            ...problemResponse,
          },
        },
      },
      async (_request, reply) => {
        const readiness = judge(store.health(), health(), clock.now());
        return reply.code(readiness.ready ? 200 : 503).send(readiness);
      },
    );
  };

/** One failing collector never makes the service unready: a machine without a GPU is a normal state. */
const judge = (
  database: ReturnType<StoreReader['health']>,
  collectors: readonly CollectorHealth[],
  now: number,
): Readiness => ({
  ready: database.writable && (collectors.length === 0 || collectors.some(({ error }) => error === null)),
  database,
  collectors: collectors.map((collector) => collectorStateOf(collector, now)),
});
