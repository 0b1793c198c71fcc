import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import type { StoreReader } from '../../core/ports.ts';
import { RUN_GPU_METRICS, type RunGpu, RunGpuSchema, USUAL_BELOW } from '../../core/run-gpu.ts';
import { readRunGpuUse } from '../../core/run-gpu-use.ts';
import { RUN_GROUPINGS } from '../../core/run-windows.ts';
import { oneOf, pageOf } from '../../core/schema.ts';
import { PHASES } from '../../core/trace.ts';
import { isZone } from '../../core/zone.ts';
import { formatCsv, wantsCsv } from '../csv.ts';
import { query } from '../parameters.ts';
import { badParameter } from '../problem.ts';
import { jsonOrCsv, problemResponse, reference } from '../schemas.ts';
import { findRun, RunParams } from './find-run.ts';

const EPOCHS = 'an epoch such as 40, or the first and the last of some, such as 40-60';
const A_ZONE = 'the name of a time zone (IANA), such as Europe/Berlin';

/** `/runs/{id}/gpu`: what a run did with its GPUs. */
export const runGpuRoutes =
  ({ store, clock }: { readonly store: StoreReader; readonly clock: Clock }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/runs/:id/gpu',
      {
        schema: {
          summary: 'GPU use of a run as a whole, by attempt, epoch, phase or day',
          tags: ['runs'],
          params: RunParams,
          querystring: query({
            by: Type.Optional(oneOf(RUN_GROUPINGS)),
            below: Type.Optional(
              Type.Number({ minimum: 0, maximum: 100, description: `utilization, %; ${USUAL_BELOW} unless given` }),
            ),
            epochs: Type.Optional(Type.String({ description: `only the time of these epochs: ${EPOCHS}` })),
            phase: Type.Optional(oneOf(PHASES)),
            tz: Type.Optional(Type.String({ description: `whose days \`by=day\` means: ${A_ZONE}; UTC unless given` })),
          }),
          response: { 200: jsonOrCsv('GPU use, by GPU and in order of time', UsePage), ...problemResponse },
        },
      },
      async ({ params, query, headers, signal }, reply) => {
        const run = findRun(store, params.id);
        const choice = {
          by: query.by ?? 'run',
          zone: parseZone(query.tz),
          epochs: parseEpochs(query.epochs),
          phase: query.phase,
          below: query.below ?? USUAL_BELOW,
          now: clock.now(),
        };
        const { items, absent } = await readRunGpuUse(store, run, choice, { signal });
        const names = new Map(store.listGpus().map(({ gpu, uuid }) => [`gpu:${uuid}`, gpu]));
        const named = items.map((item) => ({ ...item, gpu: names.get(item.gpu) ?? item.gpu }));
        if (wantsCsv(headers.accept)) return reply.type('text/csv; charset=utf-8').send(useCsv(named));
        return { items: named, next: null, ...(Object.keys(absent).length === 0 ? {} : { absent }) };
      },
    );
  };

const UsePage = Type.Intersect([
  pageOf(reference<RunGpu>(RunGpuSchema)),
  Type.Object({
    absent: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'by name (epoch 3, phase, import:RUN:0): why it is not told, or is told otherwise',
      }),
    ),
  }),
]);

const parseZone = (name = 'UTC'): string => {
  if (!isZone(name)) throw badParameter('tz', name, A_ZONE);
  return name;
};

const parseEpochs = (text: string | undefined): { first: number; last: number } | undefined => {
  if (text === undefined) return undefined;
  const [, first = '', last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (first === '' || Number(first) > Number(last)) throw badParameter('epochs', text, EPOCHS);
  return { first: Number(first), last: Number(last) };
};

const AGGREGATES = ['avg', 'min', 'max', 'p5', 'p50', 'p95', 'count'] as const;

const useCsv = (items: readonly RunGpu[]): string => {
  const values = RUN_GPU_METRICS.flatMap((metric) => AGGREGATES.map((aggregate) => ({ metric, aggregate })));
  return formatCsv(
    [
      ...['key', 'attempt', 'gpu', 'from', 'to'],
      ...values.map(({ metric, aggregate }) => `${metric}.${aggregate}`),
      ...['secondsBelow', 'secondsLost', 'energyWh', 'coverage'],
    ],
    items.map((item) => [
      ...[item.key, item.attempt ?? null, item.gpu, item.from, item.to],
      ...values.map(({ metric, aggregate }) => item.metrics[metric]?.[aggregate] ?? null),
      ...[item.secondsBelow, item.secondsLost, item.energyWh, item.coverage],
    ]),
  );
};
