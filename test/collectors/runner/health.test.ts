import t from 'tap';
import { runCollectorName } from '../../../src/collectors/run/folder.ts';
import { createHealthCollector } from '../../../src/collectors/runner/health.ts';
import type { CollectorHealth } from '../../../src/core/collector-health.ts';
import { createHandClock, createSource, settle, stage } from './stage.ts';

const NOW = createHandClock().clock.now();

const health = (name: string, over: Partial<CollectorHealth> = {}): CollectorHealth => ({
  name,
  everyMs: 1000,
  lastSuccessAt: NOW - 400,
  lastErrorAt: null,
  error: null,
  failures: 0,
  durationMs: 3,
  misses: 0,
  polling: false,
  ...over,
});

/** What the collector says of these; a second look may say something else. */
const create = (...looks: readonly (readonly CollectorHealth[])[]) => {
  const { clock } = createHandClock();
  let look = 0;
  const collector = createHealthCollector({ health: () => looks[look++] ?? [], clock });
  return () => collector.collect(AbortSignal.timeout(10_000));
};

t.test('each collector of the service has a series, a failing one with its age', async (t) => {
  const gpu = health('gpu', { lastSuccessAt: NOW - 45_000, error: 'printed nothing', failures: 4, misses: 9 });
  const look = create([health('host'), gpu, health('kernel-log', { lastSuccessAt: null, durationMs: null })]);
  const { samples, collectors } = await look();
  t.strictSame(samples, [
    { subject: 'collector:host', at: NOW, values: { age: 400, duration: 3, misses: 0, failures: 0 } },
    { subject: 'collector:gpu', at: NOW, values: { age: 45_000, duration: 3, misses: 9, failures: 4 } },
    { subject: 'collector:kernel-log', at: NOW, values: { age: null, duration: null, misses: 0, failures: 0 } },
  ]);
  t.match(collectors, [{ name: 'host' }, { name: 'gpu', error: 'printed nothing' }, { name: 'kernel-log' }]);
});

t.test('it says nothing of itself, and an age is never negative where the clock was set back', async (t) => {
  const { samples } = await create([health('collectors'), health('host', { lastSuccessAt: NOW + 5000 })])();
  t.match(samples, [{ subject: 'collector:host', values: { age: 0 } }]);
  t.equal(samples?.length, 1);
});

t.test('ten thousand run folders are one series: the longest silence, the longest look, the sums', async (t) => {
  const folders = Array.from({ length: 10_000 }, (_, i) =>
    health(runCollectorName(`/runs/${i}`), { everyMs: 2000, durationMs: i / 1000, misses: 1 }),
  );
  const hung = { lastSuccessAt: NOW - 60_000, lastErrorAt: NOW - 9000, error: 'EIO: read', failures: 3, misses: 8 };
  const { samples, collectors } = await create([...folders, health(runCollectorName('/nfs/slow'), hung)])();
  t.strictSame(samples, [
    { subject: 'collector:runs', at: NOW, values: { age: 60_000, duration: 9.999, misses: 10_008, failures: 3 } },
  ]);
  t.match(collectors, [{ name: 'runs', everyMs: 2000, error: 'run /nfs/slow: EIO: read', lastErrorAt: NOW - 9000 }]);
});

t.test('a run folder whose first look is under way is not yet silent, one whose first look failed is', async (t) => {
  const waiting = health(runCollectorName('/runs/new'), { lastSuccessAt: null });
  const failed = health(runCollectorName('/runs/bad'), { lastSuccessAt: null, error: 'EACCES' });
  const look = create([waiting, health(runCollectorName('/runs/a'))], [waiting, failed]);
  t.match((await look()).samples, [{ values: { age: 400 } }]);
  t.match((await look()).collectors, [{ lastSuccessAt: null, error: 'run /runs/bad: EACCES' }]);
});

t.test('what run folders missed stays counted when they are not watched any more', async (t) => {
  const at = (misses: number, name = 'a') => health(runCollectorName(`/runs/${name}`), { misses });
  const look = create([at(3), at(2, 'b')], [at(4)], [], [at(1)]);
  const seen: unknown[] = [];
  for (let round = 0; round < 4; round++) seen.push((await look()).samples?.[0]?.values.misses);
  t.strictSame(seen, [5, 6, undefined, 7]);
});

t.test('the age of a source grows while its look hangs', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner, next } = stage(t, clock);
  const { collector, looks } = createSource(t);
  runner.add(collector);
  await settle();
  looks[0]?.answer({});
  await settle();
  pass(30_000);
  await settle();
  const batch = next('batch');
  runner.add(createHealthCollector({ health: runner.health, clock }));
  const [{ samples }] = await batch;
  t.match(samples, [{ subject: 'collector:source', values: { age: 30_000, failures: 0 } }]);
});
