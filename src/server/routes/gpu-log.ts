import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import {
  type GpuLogRow,
  GpuLogRowSchema,
  type GpuLogTaken,
  GpuLogTakenSchema,
  type TakeGpuLog,
} from '../../core/gpu-log.ts';
import type { StoreReader } from '../../core/ports.ts';
import { query } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { problemResponse, reference } from '../schemas.ts';
import { findRun, RunParams } from './find-run.ts';

const CONTENT_TYPE = 'application/x-ndjson';
/** As many as are stored in a few milliseconds; then others have their turn. */
const SLICE_ROWS = 200;

/** `POST /runs/{id}/gpu-log`: the samples of an old log; `signalbox import` sends them. */
export const gpuLogRoutes =
  ({
    store,
    takeGpuLog,
  }: {
    readonly store: StoreReader;
    readonly takeGpuLog: TakeGpuLog;
  }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(CONTENT_TYPE, { parseAs: 'string' }, (_request, body, done) => done(null, body));
    app.addContentTypeParser('*', ({ headers }, _payload, done) => {
      done(new Problem(415, `content-type: "${headers['content-type']}" is not ${CONTENT_TYPE}`));
    });

    app.post(
      '/runs/:id/gpu-log',
      {
        schema: {
          summary: 'Takes samples of an imported GPU log into the history of a run, one JSON object a line',
          tags: ['ingest'],
          consumes: [CONTENT_TYPE],
          params: RunParams,
          querystring: query({}),
          body: Type.String({ description: 'lines such as {"at":1757427471378,"gpu":0,"values":{"utilization":95}}' }),
          response: { 200: reference<GpuLogTaken>(GpuLogTakenSchema), ...problemResponse },
        },
      },
      async ({ params, body }) => {
        const { id } = findRun(store, params.id);
        const rows = readRows(body);
        let [taken, known] = [0, 0];
        for (let i = 0; i < rows.length; i += SLICE_ROWS) {
          const came = takeGpuLog(id, rows.slice(i, i + SLICE_ROWS));
          taken += came.taken;
          known += came.known;
          await new Promise(setImmediate);
        }
        return { taken, known };
      },
    );
  };

/** All lines or none: whoever sends samples has made them. */
const readRows = (body: string): readonly GpuLogRow[] =>
  body.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const row = parseJson(line);
    if (Value.Check(GpuLogRowSchema, row)) return [row];
    const [error] = Value.Errors(GpuLogRowSchema, row);
    const where = error === undefined ? 'not JSON' : `${error.instancePath.slice(1)}: ${error.message}`;
    throw new Problem(400, `line ${index + 1}: ${where}; expected {"at":MS,"gpu":UUID or number,"values":{…}}`);
  });

const parseJson = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};
