import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type ClassMetrics, ClassMetricsSchema, type LogLine, LogLineSchema } from '../../core/output.ts';
import type { StoreReader } from '../../core/ports.ts';
import { sendHistory } from '../history-answer.ts';
import { windowParameters } from '../history-window.ts';
import { pageQuery, paging, parseMoment, query } from '../parameters.ts';
import { busyResponse, jsonOrText, pageReference, problemResponse } from '../schemas.ts';
import { readStepHistory, stepsResponse } from '../step-history.ts';
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
          summary: 'Steps (training batches) of a run, by attempt, epoch and batch, or with step or points in buckets',
          tags: ['runs'],
          params: RunParams,
          querystring: query({ ...windowParameters, ...paging(STEPS) }),
          response: { 200: stepsResponse, ...problemResponse, ...busyResponse },
        },
      },
      async ({ params, query, headers, signal }, reply) => {
        const { id } = findRun(store, params.id);
        if (query.step === undefined && query.points === undefined) {
          return store.listSteps(id, {
            ...pageQuery(query, STEPS),
            from: parseMoment('from', query.from) ?? undefined,
            to: parseMoment('to', query.to) ?? undefined,
          });
        }
        return sendHistory(await readStepHistory({ store, run: id, query, signal }), headers.accept, reply);
      },
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
