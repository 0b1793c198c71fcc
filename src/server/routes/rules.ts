import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type RuleInfo, RuleInfoSchema } from '../../core/alert.ts';
import { query } from '../parameters.ts';
import { pageReference, problemResponse } from '../schemas.ts';

/** `/rules`: what is judged, and by which thresholds. */
export const ruleRoutes =
  ({ rules }: { readonly rules: readonly RuleInfo[] }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/rules',
      {
        schema: {
          summary: 'Every rule with its parameters, their units, defaults and current values',
          tags: ['rules'],
          querystring: query({}),
          response: { 200: pageReference<RuleInfo>(RuleInfoSchema), ...problemResponse },
        },
      },
      async () => ({ items: rules, next: null }),
    );
  };
