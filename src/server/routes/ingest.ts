import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type Ingested, IngestedSchema } from '../../core/ingest.ts';
import { A_RUN_NAME, type Ingest, ingestLines, isRunName } from '../ingest-lines.ts';
import { query } from '../parameters.ts';
import { badParameter, Problem } from '../problem.ts';
import { problemResponse, reference } from '../schemas.ts';

const CONTENT_TYPES = ['application/x-ndjson', 'application/json', 'text/plain'];

/** `POST /ingest`: the lines of a sidecar, from a trainer that shares no disk with this service. */
export const ingestRoutes =
  ({ ingest }: { readonly ingest: Ingest }): FastifyPluginAsyncTypebox =>
  async (app) => {
    // Lines, also where they are called JSON: one line is both.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(CONTENT_TYPES, { parseAs: 'string' }, (_request, body, done) => done(null, body));
    app.addContentTypeParser('*', ({ headers }, _payload, done) => {
      const found = headers['content-type'];
      done(new Problem(415, `content-type: "${found}" is not one of ${CONTENT_TYPES.join(', ')}`));
    });

    app.post(
      '/ingest',
      {
        schema: {
          summary: 'Takes the lines of a sidecar, one JSON object a line, of a run given by its name',
          tags: ['ingest'],
          consumes: CONTENT_TYPES,
          querystring: query({
            run: Type.Optional(
              Type.String({ description: `name of the run, ${A_RUN_NAME}; a line's own \`run\` counts before it` }),
            ),
          }),
          body: Type.String({ description: 'lines as in signalbox.ndjson' }),
          response: { 200: reference<Ingested>(IngestedSchema), ...problemResponse },
        },
      },
      async ({ query, body }) => {
        const { run: name } = query;
        if (name !== undefined && !isRunName(name)) throw badParameter('run', name, A_RUN_NAME);
        const { run, ...counts } = await ingestLines(body, name ?? null, ingest);
        if (run === null) throw new Problem(400, refusalOf(counts));
        return { run, ...counts };
      },
    );
  };

const refusalOf = ({ ignored, problems }: Omit<Ingested, 'run'>): string => {
  const [first] = problems;
  if (first === undefined) return 'the body has no lines; expected one JSON object a line';
  return `none of the ${ignored} lines could be taken; line ${first.line}: ${first.problem}`;
};
