import t from 'tap';
import { createHealthCollector } from '../src/collectors/runner/health.ts';
import { createRunner } from '../src/collectors/runner/runner.ts';
import type { Collector } from '../src/core/ports.ts';
import { assemble, T0 } from './assembled.ts';
import { createHandClock, settle } from './collectors/runner/stage.ts';

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

t.test('a collector that fails is an alert and a series, until it is healed', async (t) => {
  const { time, store, pipeline, events } = assemble();
  t.teardown(() => store.close());
  const { clock, pass } = createHandClock();
  time.now = clock.now();
  const startedAt = clock.now();
  const runner = createRunner({ clock, log: SILENT, polling: 'always', ingest: pipeline.ingest });
  t.teardown(runner.close);
  let fails = false;
  const collector: Collector = {
    name: 'gpu',
    when: { everyMs: 1000, retryWithinMs: 4000 },
    timeoutMs: 10_000,
    collect: async () => {
      if (fails) throw new Error('the NVIDIA driver is not loaded');
      return {};
    },
  };
  runner.add(collector);
  runner.add(createHealthCollector({ health: runner.health, clock }));

  const live = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      pass(1000);
      time.now = clock.now();
      await settle();
      pipeline.judge();
    }
  };
  const alerts = () => store.listAlerts({ limit: 10 }).items;

  await live(60);
  t.same(alerts(), []);
  fails = true;
  await live(60);
  const [alert, ...others] = alerts();
  t.match(alert, { rule: 'collector_stale', state: 'firing', subject: 'host:trainer', cause: { code: 'driver_gone' } });
  t.same(others, []);
  const silentMs = (alert?.firedAt ?? 0) - startedAt - 60_000;
  t.ok(silentMs >= 30_000 && silentMs <= 50_000, `told after ${silentMs} ms`);

  fails = false;
  await live(5);
  t.equal(runner.health()[0]?.error, null, 'looked at again within the time that it names');
  await live(10);
  t.match(alerts(), [{ state: 'resolved', count: 1 }]);
  t.equal(events.filter(({ topic }) => topic === 'alerts').length, 2, 'fired and resolved, each told once');

  const [from, to] = [startedAt, clock.now()];
  const query = { metrics: ['age', 'misses'], from, to, edges: [from, to], further: [] };
  const { age, misses } = (await store.history('collector:gpu', query)).metrics;
  t.ok(Math.max(...(age?.max ?? []).map(Number)) >= 45_000);
  t.ok(Math.max(...(misses?.max ?? []).map(Number)) >= 10);
});

t.test('with every collector at work there is no alert and no noise', async (t) => {
  const { time, store, pipeline, events } = assemble();
  t.teardown(() => store.close());
  time.now = T0;
  for (let second = 0; second < 300; second++) {
    time.now += 1000;
    if (second % 10 === 0) {
      const health = { lastErrorAt: null, error: null, failures: 0, durationMs: 1, misses: 0, polling: false };
      const collectors = ['host', 'gpu', 'runs'].map((name) => ({
        name,
        everyMs: 1000,
        lastSuccessAt: time.now - 300,
        ...health,
      }));
      pipeline.ingest({ collectors });
    }
    pipeline.judge();
  }
  t.same(events, []);
});

t.test('of a collector that is gone nothing stays in the store', async (t) => {
  const { time, store, pipeline } = assemble();
  t.teardown(() => store.close());
  time.now = T0;
  const told = { everyMs: 1000, lastErrorAt: null, error: null, failures: 0, durationMs: 1, misses: 0, polling: false };
  const minute = (...names: readonly string[]) => {
    time.now += 60_000;
    pipeline.ingest({ collectors: names.map((name) => ({ name, lastSuccessAt: time.now - 300, ...told })) });
    pipeline.judge();
  };
  const subjects = () => store.ruleStates().map(({ subject }) => subject);
  minute('gpu', 'run /data/runs/train');
  minute('gpu', 'run /data/runs/train');
  t.ok(subjects().some((subject) => subject.endsWith(' run /data/runs/train')));
  minute('gpu');
  t.notOk(subjects().some((subject) => subject.endsWith(' run /data/runs/train')));
  t.ok(subjects().some((subject) => subject.endsWith(' gpu')));
});
