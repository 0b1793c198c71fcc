import t from 'tap';
import type { CollectorHealth } from '../../src/core/collector-health.ts';
import { collectorStale } from '../../src/rules/collector-stale.ts';
import { createEngine } from '../../src/rules/engine.ts';
import { type AnyRule, defineRule, type HostTickInput, type RunInput } from '../../src/rules/rule.ts';
import { run, START_AT } from './rows.ts';

const start = (...rules: readonly AnyRule[]) => {
  const errors: string[] = [];
  let ids = 0;
  const onError = (rule: string, subject: string) => errors.push(`${rule} ${subject}`);
  return { engine: createEngine({ rules, newId: () => `a${++ids}`, onError }), errors };
};

const breach = {
  kind: 'breach',
  severity: 'warning',
  title: 'Memory full',
  problem: '',
  evidence: [],
  cause: null,
  fix: [],
} as const;
const ONCE = { only: { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } } } as const;
const about = { title: '', description: '', severity: ['warning'], parameters: {}, tracks: ONCE } as const;

/** Fires while less than a tenth of the memory is free; no-data without samples. */
const memoryFull = defineRule({
  ...about,
  id: 'memory_full',
  subject: 'host',
  needs: ['host'],
  init: () => ({}),
  step: (state, { host }: HostTickInput) => {
    if (host?.memoryUsed == null) return [state, { only: { kind: 'no-data', missing: ['memory'] } }];
    return [state, { only: host.memoryUsed > 90 ? breach : { kind: 'clear' } }];
  },
});

t.test('a rule about hosts is judged at every tick of the host, and its alert is about the host', async (t) => {
  const { engine } = start(memoryFull);
  const tick = (second: number, memoryUsed: number | null) =>
    engine.tickHost(START_AT + second * 1000, {
      name: 'trainer',
      host: memoryUsed === null ? null : { memoryUsed },
      collectors: null,
    });
  t.same(tick(0, 50), []);
  t.match(tick(1, 95), [{ rule: 'memory_full', state: 'firing', subject: 'host:trainer', run: null }]);
  t.match(tick(2, null), [{ state: 'firing', noDataSince: START_AT + 2000 }]);
  t.match(tick(3, 50), [{ state: 'resolved' }]);
});

t.test('a rule about runs hears nothing of hosts, and one about hosts nothing of runs', async (t) => {
  const heard: string[] = [];
  const listener = (id: string, subject: 'run' | 'host') =>
    defineRule({
      ...about,
      id,
      subject,
      needs: ['host'],
      init: () => ({}),
      step: (state, { kind }: RunInput | HostTickInput) => {
        heard.push(`${id} ${kind}`);
        return [state, {}];
      },
    });
  const { engine } = start(listener('ours', 'run'), listener('theirs', 'host'), collectorStale);
  engine.tick(START_AT, [{ run, gpus: null, host: null, rowWritten: false }]);
  engine.tickHost(START_AT, { name: 'trainer', host: null, collectors: [] });
  t.same(heard, ['ours tick', 'theirs host']);
});

t.test('a rule about hosts that throws is reported with its host', async (t) => {
  const broken = defineRule({
    ...about,
    id: 'broken',
    subject: 'host',
    needs: ['host'],
    init: () => ({}),
    step: (_state, _input: HostTickInput) => {
      throw new Error('no');
    },
  });
  const { engine, errors } = start(broken, memoryFull);
  const tick = { name: 'trainer', host: { memoryUsed: 95 }, collectors: null };
  t.match(engine.tickHost(START_AT, tick), [{ rule: 'memory_full' }]);
  engine.tickHost(START_AT + 1000, tick);
  t.same(errors, ['broken host:trainer']);
});

t.test('an open alert whose collector is not known any more does not stay open for ever', async (t) => {
  const stale: CollectorHealth = {
    name: 'gpu',
    everyMs: 1000,
    lastSuccessAt: START_AT,
    lastErrorAt: START_AT,
    error: 'EIO',
    failures: 3,
    durationMs: 1,
    misses: 3,
    polling: false,
  };
  const first = start(collectorStale).engine;
  const open = Array.from({ length: 5 }, (_, i) =>
    first.tickHost(START_AT + i * 10_000, { name: 'trainer', host: null, collectors: [stale] }),
  ).flat();
  t.match(open, [{ state: 'firing' }]);
  const second = start(collectorStale).engine;
  second.restore([], open);
  t.match(second.tickHost(START_AT + 60_000, { name: 'trainer', host: null, collectors: null }), [
    { id: 'a1', state: 'resolved' },
  ]);
});

t.test('under a new name of the host, alerts of the old one end and its states are given up', async (t) => {
  const first = start(memoryFull, collectorStale).engine;
  const tick = { host: { memoryUsed: 95 }, collectors: [] };
  const open = first.tickHost(START_AT, { name: 'trainer', ...tick });
  t.match(open, [{ subject: 'host:trainer', state: 'firing' }]);
  const second = start(memoryFull, collectorStale).engine;
  second.restore(first.dirtyStates(START_AT), open);
  t.match(second.tickHost(START_AT + 60_000, { name: 'trainer-2', host: { memoryUsed: 50 }, collectors: [] }), [
    { subject: 'host:trainer', state: 'resolved', result: 'nothing is collected there any more' },
  ]);
  t.same(second.takeGone(), ['host:trainer']);
  t.same(second.takeGone(), [], 'each is told once');
});
