import { once } from 'node:events';
import type { Run } from '../../src/core/run.ts';
import { connect } from '../server/stream-client.ts';

/** A client of a started service that keeps what it is told of runs. */
export type RunFollower = {
  /** The run of this name when it first was as asked, and the moment at which this client was told of it. */
  readonly until: (
    name: string,
    isSo: (run: Run) => boolean,
  ) => Promise<{ readonly run: Run; readonly seenAt: number }>;
  /** The states that the run of this name went through, in order. */
  readonly statesOf: (name: string) => readonly Run['state'][];
};

/** Subscribes to the runs of the service at `url`, by the WebSocket; `until` rejects when the connection closes. */
export const followRuns = async (url: string): Promise<RunFollower> => {
  const client = await connect(url);
  const told: { readonly run: Run; readonly seenAt: number }[] = [];
  let news = Promise.withResolvers<void>();
  const take = (run: Run) => {
    told.push({ run, seenAt: Date.now() });
    news.resolve();
    news = Promise.withResolvers();
  };
  client.send({ op: 'subscribe', topics: ['runs'] });
  // The client has held every frame against its schema: the data of this topic are runs.
  const pump = async () => {
    for (;;) {
      const { op, data } = await client.next();
      if (op === 'snapshot') for (const run of data as Run[]) take(run);
      if (op === 'event') take(data as Run);
    }
  };
  pump().catch((error: unknown) => {
    // Whoever waits hears of it; after a test nobody does.
    news.promise.catch(() => {});
    news.reject(error);
  });
  return {
    until: async (name, isSo) => {
      const patience = AbortSignal.timeout(60_000);
      const outOfPatience = once(patience, 'abort').then(() => {
        const last = told.findLast(({ run }) => run.name === name);
        throw new Error(`waited in vain for ${name}; the last that was told of it: ${JSON.stringify(last ?? null)}`);
      });
      for (;;) {
        const found = told.find(({ run }) => run.name === name && isSo(run));
        if (found !== undefined) return found;
        await Promise.race([news.promise, outOfPatience]);
      }
    },
    statesOf: (name) => told.flatMap(({ run }) => (run.name === name ? [run.state] : [])),
  };
};
