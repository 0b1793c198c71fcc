import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import {
  type CollectorHealth,
  type CollectorState,
  collectorStateOf,
  hasCollectorSeries,
  isRunCollector,
  RUN_COLLECTORS,
} from '../../core/collector-health.ts';
import { COLLECTOR_METRICS } from '../../core/metrics.ts';
import { BadCursor, type StoreReader } from '../../core/ports.ts';
import { CollectorStateSchema } from '../../core/service.ts';
import { historySchema, readHistory } from '../history.ts';
import { sendHistory } from '../history-answer.ts';
import { pageQuery, paging, query } from '../parameters.ts';
import { notFound, Problem } from '../problem.ts';
import { pageReference, problemResponse } from '../schemas.ts';

type Parts = {
  readonly store: StoreReader;
  readonly clock: Clock;
  readonly health: () => readonly CollectorHealth[];
};

const COLLECTORS = 100;

/** `/collectors`: how each collector is doing, and how it did. */
export const collectorRoutes =
  ({ store, clock, health }: Parts): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/collectors',
      {
        schema: {
          summary: "How each collector is doing: the service's own by name, then those of run folders",
          tags: ['collectors'],
          querystring: query(paging(COLLECTORS)),
          response: { 200: pageReference<CollectorState>(CollectorStateSchema), ...problemResponse },
        },
      },
      async ({ query }) => {
        const { limit, cursor } = pageQuery(query, COLLECTORS);
        const after = cursor === undefined ? '' : keyOfCursor(cursor);
        const rest = health()
          .map((collector) => ({ key: keyOf(collector.name), collector }))
          .filter(({ key }) => key > after)
          .sort((a, b) => (a.key < b.key ? -1 : 1));
        const shown = rest.slice(0, limit);
        const last = shown.at(-1);
        const now = clock.now();
        return {
          items: shown.map(({ collector }) => collectorStateOf(collector, now)),
          next: rest.length > limit && last !== undefined ? cursorOfKey(last.key) : null,
        };
      },
    );

    app.get(
      '/collectors/:name/history',
      {
        schema: {
          summary: 'History of a collector: its age, the time of a look, what it missed',
          tags: ['collectors'],
          params: Type.Object({
            name: Type.String({ description: `its name, or ${RUN_COLLECTORS} for those of all run folders together` }),
          }),
          ...historySchema(COLLECTOR_METRICS),
        },
      },
      async ({ params: { name }, query, headers, signal }, reply) => {
        const isKnown = name === RUN_COLLECTORS || health().some((collector) => collector.name === name);
        if (!isKnown) throw notFound('collector', name);
        if (!hasCollectorSeries(name)) throw new Problem(404, withoutSeries(name));
        const subject = { stored: `collector:${name}`, shown: `collector:${name}` };
        const history = await readHistory({
          store,
          subject,
          catalogue: COLLECTOR_METRICS,
          query,
          now: clock.now(),
          signal,
        });
        return sendHistory(history, headers.accept, reply);
      },
    );
  };

const withoutSeries = (name: string): string =>
  isRunCollector(name)
    ? `the collectors of run folders have one history together: ask for that of "${RUN_COLLECTORS}"`
    : `collector "${name}" keeps the history of the others and has none of its own`;

/** What the list is sorted by: the service's own collectors come first, however many run folders there are. */
const keyOf = (name: string): string => `${isRunCollector(name) ? 'run' : 'own'}:${name}`;

const cursorOfKey = (key: string): string => Buffer.from(key).toString('base64url');

/** Throws {@link BadCursor} on what cannot be a key. */
const keyOfCursor = (cursor: string): string => {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (/^(?:own|run):/.test(key)) return key;
  throw new BadCursor(`${cursor} is not a cursor of this list`);
};
