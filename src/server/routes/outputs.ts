import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  type ClassMetrics,
  ClassMetricsSchema,
  type LogLine,
  LogLineSchema,
  type Step,
  StepSchema,
} from '../../core/output.ts';
import type { StoreReader } from '../../core/ports.ts';
import { MomentParameter, pageQuery, paging, parseMoment, query } from '../parameters.ts';
import { jsonOrText, pageReference, problemResponse } from '../schemas.ts';
import { findRun, RunParams } from './find-run.ts';

const STEPS = 1000;
const CLASSES = 100;
const LINES = 200;
const MAX_LINES = 500;

/** `/runs/{id}/…`: what runs say of themselves, in a sidecar, on their consoles or by `POST /ingest`. */
export const outputRoutes =
  ({ store }: { readonly store: StoreReader }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/runs/:id/batches',
      {
        schema: {
          summary: 'Steps (training batches) of a run, by attempt, epoch and batch',
          tags: ['runs'],
          params: RunParams,
          querystring: query({
            from: Type.Optional(MomentParameter),
            to: Type.Optional(MomentParameter),
            ...paging(STEPS),
          }),
          response: { 200: pageReference<Step>(StepSchema), ...problemResponse },
        },
      },
      async ({ params, query }) =>
        store.listSteps(findRun(store, params.id).id, {
          ...pageQuery(query, STEPS),
          from: parseMoment('from', query.from) ?? undefined,
          to: parseMoment('to', query.to) ?? undefined,
        }),
    );

    app.get(
      '/runs/:id/classes',
      {
        schema: {
          summary: 'Metrics by class of a run, one item for each validation, those of the best checkpoint last',
          tags: ['runs'],
          params: RunParams,
          querystring: query(paging(CLASSES)),
          response: { 200: pageReference<ClassMetrics>(ClassMetricsSchema), ...problemResponse },
        },
      },
      async ({ params, query }) => store.listClasses(findRun(store, params.id).id, pageQuery(query, CLASSES)),
    );

    app.get(
      '/runs/:id/log',
      {
        schema: {
          summary: "The end of a run's console, oldest line first",
          tags: ['runs'],
          params: RunParams,
          querystring: query({
            tail: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: MAX_LINES,
                description: `at most so many lines, ${LINES} without it`,
              }),
            ),
          }),
          response: { 200: jsonOrText('Lines', pageReference<LogLine>(LogLineSchema)), ...problemResponse },
        },
      },
      async ({ params, query, headers }, reply) => {
        const items = store.logTail(findRun(store, params.id).id, query.tail ?? LINES);
        if (!wantsText(headers.accept)) return { items, next: null };
        return reply.type('text/plain; charset=utf-8').send(items.map(({ line }) => `${line}\n`).join(''));
      },
    );
  };

/** True when the client prefers plain text: it names it, and not JSON before it. */
const wantsText = (accept: string | undefined): boolean => /^\s*text\/plain\b/.test(accept ?? '');
