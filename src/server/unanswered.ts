import type { FastifyInstance } from 'fastify';

/** The requests that wait for the end of their answers; those of WebSockets, which have none, are not among them. */
export type Unanswered = {
  /** Resolves when the last is answered, and after `withinMs` in any case. */
  readonly settled: (withinMs: number) => Promise<void>;
};

/** Counts from here on; belongs before the routes. */
export const countUnanswered = (app: FastifyInstance): Unanswered => {
  let count = 0;
  let onLast = () => {};
  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.ws) count++;
    done();
  });
  // Comes also when the client goes before it has the whole answer.
  app.addHook('onResponse', (request, _reply, done) => {
    if (!request.ws && --count === 0) onLast();
    done();
  });
  return {
    settled: (withinMs) =>
      new Promise((resolve) => {
        if (count === 0) return resolve();
        const timer = setTimeout(resolve, withinMs);
        onLast = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
};
