import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type ServiceFacts, ServiceSchema } from '../../core/service.ts';
import { query } from '../parameters.ts';
import { problemResponse, reference } from '../schemas.ts';

/** `/service`: what this service is, what it watches, and whether it is simulated. */
export const serviceRoutes =
  ({ service }: { readonly service: ServiceFacts }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/service',
      {
        schema: {
          summary: 'The service itself',
          tags: ['service'],
          querystring: query({}),
          response: { 200: reference<ServiceFacts>(ServiceSchema), ...problemResponse },
        },
      },
      async () => service,
    );
  };
