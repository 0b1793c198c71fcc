import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ALERT_STATES, type Alert, AlertSchema, SEVERITIES } from '../../core/alert.ts';
import type { StoreReader } from '../../core/ports.ts';
import { MomentParameter, pageQuery, paging, parseMoment, parseWords, query, wordsParameter } from '../parameters.ts';
import { notFound } from '../problem.ts';
import { pageReference, problemResponse, reference } from '../schemas.ts';

const ALERTS = 100;

/** `/alerts`: what the rules found. */
export const alertRoutes =
  ({ store }: { readonly store: StoreReader }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/alerts',
      {
        schema: {
          summary: 'Alerts, newest first',
          tags: ['alerts'],
          querystring: query({
            state: Type.Optional(wordsParameter(ALERT_STATES)),
            rule: Type.Optional(Type.String({ description: 'id of a rule' })),
            run: Type.Optional(Type.String({ description: 'id of a run' })),
            severity: Type.Optional(Type.Enum([...SEVERITIES])),
            from: Type.Optional(MomentParameter),
            to: Type.Optional(MomentParameter),
            ...paging(ALERTS),
          }),
          response: { 200: pageReference<Alert>(AlertSchema), ...problemResponse },
        },
      },
      async ({ query }) => {
        const { rule, run, severity } = query;
        return store.listAlerts({
          ...pageQuery(query, ALERTS),
          states: parseWords('state', query.state, ALERT_STATES),
          rule,
          run,
          severity,
          from: parseMoment('from', query.from) ?? undefined,
          to: parseMoment('to', query.to) ?? undefined,
        });
      },
    );

    app.get(
      '/alerts/:id',
      {
        schema: {
          summary: 'One alert',
          tags: ['alerts'],
          params: Type.Object({ id: Type.String({ description: 'id of an alert' }) }),
          querystring: query({}),
          response: { 200: reference<Alert>(AlertSchema), ...problemResponse },
        },
      },
      async ({ params }) => {
        const alert = store.getAlert(params.id);
        if (alert === undefined) throw notFound('alert', params.id);
        return alert;
      },
    );
  };
