import t from 'tap';
import type { CollectorHealth } from '../../src/core/collector-health.ts';
import { HistorySchema } from '../../src/core/history.ts';
import { pageOf } from '../../src/core/schema.ts';
import { CollectorStateSchema } from '../../src/core/service.ts';
import { T0 } from '../store/open-store.ts';
import { startServer } from './start-server.ts';

const clock = { now: () => T0, after: () => () => {} };

const collector = (name: string, over: Partial<CollectorHealth> = {}): CollectorHealth => ({
  name,
  everyMs: 1000,
  lastSuccessAt: T0 - 1500,
  lastErrorAt: null,
  error: null,
  failures: 0,
  durationMs: 2.5,
  misses: 0,
  polling: false,
  ...over,
});
const failing = collector('gpu', {
  lastSuccessAt: null,
  lastErrorAt: T0,
  error: 'nvidia-smi was not found',
  failures: 3,
  durationMs: null,
  misses: 3,
});

t.test('the service is ready as long as one collector works, and says how each is doing', async (t) => {
  const half = await startServer({ clock, health: () => [failing, collector('host')] });
  t.teardown(half.close);
  const ready = await half.get('/readyz');
  t.equal(ready.status, 200);
  t.match(await ready.json(), {
    ready: true,
    database: { writable: true },
    collectors: [
      { ...failing, ageMs: null },
      { name: 'host', ageMs: 1500, everyMs: 1000, durationMs: 2.5, misses: 0 },
    ],
  });

  const dead = await startServer({ clock, health: () => [failing] });
  t.teardown(dead.close);
  const unready = await dead.get('/readyz');
  t.equal(unready.status, 503);
  t.match(await unready.json(), { ready: false });
  t.strictSame(await (await dead.get('/healthz')).json(), { status: 'ok' });
});

t.test("collectors are listed, the service's own before those of run folders, page by page", async (t) => {
  const names = ['run /runs/b', 'run-finder', 'host', 'run /runs/a', 'gpu', 'collectors'];
  const server = await startServer({ clock, health: () => names.map((name) => collector(name)) });
  t.teardown(server.close);
  const read = (query: string) => server.read(`/api/v1/collectors${query}`, pageOf(CollectorStateSchema));
  const whole = await read('');
  const expected = ['collectors', 'gpu', 'host', 'run-finder', 'run /runs/a', 'run /runs/b'];
  t.same(
    whole.items.map(({ name }) => name),
    expected,
  );
  t.match(whole, { items: [{ ageMs: 1500 }], next: null });

  const seen: string[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const page = await read(`?limit=2${next && `&cursor=${encodeURIComponent(next)}`}`);
    seen.push(...page.items.map(({ name }) => name));
    next = page.next;
  }
  t.same(seen, expected);
});

t.test('a page goes on where it was although the collector at its end has gone', async (t) => {
  let names = ['gpu', 'host', 'run /runs/a', 'run /runs/b'];
  const server = await startServer({ clock, health: () => names.map((name) => collector(name)) });
  t.teardown(server.close);
  const read = (query: string) => server.read(`/api/v1/collectors${query}`, pageOf(CollectorStateSchema));
  const first = await read('?limit=3');
  names = ['gpu', 'host', 'run /runs/b'];
  const second = await read(`?cursor=${first.next}`);
  t.same(
    second.items.map(({ name }) => name),
    ['run /runs/b'],
  );
});

t.test('the age of a collector is a history, whatever its name holds', async (t) => {
  const name = 'logs /var/log/a b%2Fc';
  const server = await startServer({ clock, health: () => [collector(name)] });
  t.teardown(server.close);
  for (const [subject, age] of [
    [`collector:${name}`, 45_000],
    ['collector:runs', 900],
  ] as const) {
    server.store.appendSamples([{ subject, at: T0 - 5000, values: { age, duration: 2, misses: 1, failures: null } }]);
  }
  const path = (of: string) => `/api/v1/collectors/${encodeURIComponent(of)}/history?step=60s`;
  const history = await server.read(path(name), HistorySchema);
  t.equal(history.subject, `collector:${name}`);
  t.same(Object.keys(history.metrics), ['age', 'duration', 'misses', 'failures']);
  t.same(
    history.metrics.age?.max.filter((value) => value !== null),
    [45_000],
  );
  t.ok(history.metrics.failures?.avg.every((value) => value === null));
  const runs = await server.read(`${path('runs')}&metrics=age`, HistorySchema);
  t.same(
    runs.metrics.age?.max.filter((value) => value !== null),
    [900],
  );
});

t.test('a collector without series says where to look, and an unknown one that it is unknown', async (t) => {
  const server = await startServer({ clock, health: () => [collector('run /runs/a'), collector('collectors')] });
  t.teardown(server.close);
  for (const [name, detail] of [
    ['run /runs/a', /one history together: ask for that of "runs"/],
    ['collectors', /none of its own/],
    ['nothing', /no collector "nothing"/],
  ] as const) {
    const answer = await server.get(`/api/v1/collectors/${encodeURIComponent(name)}/history`);
    t.equal(answer.status, 404);
    t.match(await answer.json(), { detail });
  }
});
