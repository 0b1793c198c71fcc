import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { BadCursor, Busy } from '../core/ports.ts';
import type { Static } from '../core/schema.ts';
import { explainQueryError } from './query-error.ts';

/** RFC 9457, the body of every answer that is an error. `detail` is a sentence for a person. */
export const ProblemSchema = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ description: 'the words of the status' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'what was expected and what was found' }),
    parameter: Type.Optional(Type.String({ description: 'the query parameter that is at fault' })),
  },
  {
    $id: 'Problem',
    description: 'RFC 9457 problem details',
    examples: [
      {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'limit: "0" is not allowed; use an integer from 1 to 10000',
        parameter: 'limit',
      },
    ],
  },
);
type ProblemBody = Static<typeof ProblemSchema>;

/** An error that the client made or has to know of; its message is the `detail` of the answer. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly parameter: string | undefined;
  /** When the same request may be tried again; goes out as `Retry-After`. */
  retryAfterS?: number;

  constructor(status: number, detail: string, parameter?: string) {
    super(detail);
    this.status = status;
    this.parameter = parameter;
  }
}

/** 404 for something that was named and is not there. */
export const notFound = (kind: string, name: string): Problem => new Problem(404, `there is no ${kind} "${name}"`);

/** 400 for a query parameter; `allowed` completes the sentence "use …". */
export const badParameter = (name: string, found: string, allowed: string): Problem =>
  new Problem(400, `${name}: "${found}" is not allowed; use ${allowed}`, name);

/** Makes every error of the routes below `app`, and every unknown route, a problem document. */
export const answerWithProblems = (app: FastifyInstance): void => {
  app.setErrorHandler<FastifyError>((error, request, reply) => sendProblem(request, reply, problemOf(error, request)));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, new Problem(404, `there is nothing at ${request.method} ${request.url.split('?')[0]}`)),
  );
};

/** Answers with a problem document; an error that is nobody's fault but ours is logged once, here. */
export const sendProblem = (request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply => {
  if (problem.status >= 500 && problem.retryAfterS === undefined)
    request.log.error({ err: problem.cause ?? problem, url: request.url }, 'request failed');
  if (problem.retryAfterS !== undefined) reply.header('retry-after', problem.retryAfterS);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  const body: ProblemBody = {
    type: 'about:blank',
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    ...(problem.parameter === undefined ? {} : { parameter: problem.parameter }),
  };
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(body));
};

/** What an error thrown on the way of a request is to the client. */
export const problemOf = (error: FastifyError | Problem, request: FastifyRequest): Problem => {
  if (error instanceof Problem) return error;
  // Nobody reads this answer, and it is not our fault that there is none.
  if (error.name === 'AbortError') return new Problem(499, 'the client went away before its answer was there');
  if (error instanceof BadCursor) return new Problem(400, `cursor: ${error.message}`, 'cursor');
  if (error instanceof Busy) {
    const problem = new Problem(503, 'too many long reads wait already; ask again a little later');
    problem.retryAfterS = error.retryAfterS;
    return problem;
  }
  if ('validation' in error && error.validation?.[0] !== undefined) {
    const { parameter, detail } = explainQueryError(error.validation[0], request);
    return new Problem(400, detail, parameter);
  }
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
  if (status === 413) return new Problem(413, 'the body is larger than 1 MiB');
  if (status < 500) return new Problem(status, error.message);
  const problem = new Problem(500, 'the service could not answer this; its log says why');
  problem.cause = error;
  return problem;
};
