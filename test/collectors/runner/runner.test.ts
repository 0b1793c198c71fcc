import { EventEmitter, once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createRunFinder } from '../../../src/collectors/run/finder.ts';
import { createRunFolderCollector } from '../../../src/collectors/run/folder.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { createHandClock, createSource, settle, stage } from './stage.ts';

t.test('a source is looked at when it is added, then at every period, and when it wakes us', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner, next } = stage(t, clock);
  const { collector, looks, wake } = createSource(t);
  runner.add(collector);
  await settle();
  t.equal(looks.length, 1);
  const batch = next('batch');
  looks[0]?.answer({ samples: [] });
  t.same(await batch, [{ samples: [] }, 'source']);
  await settle();
  pass(999);
  await settle();
  t.equal(looks.length, 1);
  pass(1);
  await settle();
  t.equal(looks.length, 2);
  looks[1]?.answer({});
  await settle();
  wake();
  await settle();
  t.equal(looks.length, 3);
  t.throws(() => runner.add(collector), /source/);
});

t.test('however often it is asked for, one look at a time, and one more after it', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner } = stage(t, clock);
  const { collector, looks, wake, mostAtOnce } = createSource(t);
  runner.add(collector);
  await settle();
  for (let times = 0; times < 5; times++) wake();
  pass(5000);
  await settle();
  t.equal(looks.length, 1);
  looks[0]?.answer({});
  await settle();
  t.equal(looks.length, 2);
  looks[1]?.answer({});
  await settle();
  t.equal(looks.length, 2);
  t.equal(mostAtOnce(), 1);
});

t.test('a source that fails is asked ever less often, is said once, and recovers', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner, lines } = stage(t, clock);
  const { collector, looks } = createSource(t);
  runner.add(collector);
  await settle();
  for (const waitMs of [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    looks.at(-1)?.fail(new Error('EACCES: results.csv'));
    await settle();
    const before = looks.length;
    pass(waitMs - 1);
    await settle();
    t.equal(looks.length, before);
    pass(1);
    await settle();
    t.equal(looks.length, before + 1, `after ${waitMs} ms`);
  }
  t.same(lines, ['warn a look failed']);
  t.match(runner.health(), [{ name: 'source', error: /EACCES/, failures: 7, lastSuccessAt: null }]);
  looks.at(-1)?.answer({});
  await settle();
  t.match(runner.health(), [{ error: null, failures: 0, lastSuccessAt: clock.now() }]);
  const before = looks.length;
  pass(1000);
  await settle();
  t.equal(looks.length, before + 1, 'its own period again');
});

t.test('a source that must be back soon is asked again within the time that it names', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner } = stage(t, clock);
  const { collector, looks } = createSource(t, { retryWithinMs: 4000 });
  runner.add(collector);
  await settle();
  for (const waitMs of [2000, 4000, 4000, 4000]) {
    looks.at(-1)?.fail(new Error('the driver is gone'));
    await settle();
    const before = looks.length;
    pass(waitMs - 1);
    await settle();
    t.equal(looks.length, before);
    pass(1);
    await settle();
    t.equal(looks.length, before + 1, `after ${waitMs} ms`);
  }
});

t.test('how soon it is asked again is never sooner than its own period', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner } = stage(t, clock);
  const { collector, looks } = createSource(t, { everyMs: 10_000, retryWithinMs: 4000 });
  runner.add(collector);
  await settle();
  looks[0]?.fail(new Error('no'));
  await settle();
  pass(9999);
  await settle();
  t.equal(looks.length, 1);
  pass(1);
  await settle();
  t.equal(looks.length, 2);
});

t.test('health says how long a look took, and counts the looks that failed or were left out', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner } = stage(t, clock);
  const { collector, looks } = createSource(t);
  const health = () => runner.health()[0];
  runner.add(collector);
  await settle();
  t.match(health(), { everyMs: 1000, durationMs: null, misses: 0 }, 'no look has ended yet');
  looks[0]?.answer({});
  await settle();
  const tookMs = health()?.durationMs ?? -1;
  t.ok(tookMs >= 0 && tookMs < 10_000, `${tookMs} ms`);
  t.equal(health()?.misses, 0);
  pass(1000);
  await settle();
  pass(3500);
  looks[1]?.answer({});
  await settle();
  t.match(health(), { misses: 3, failures: 0 }, 'three periods passed while it was looked at');
  pass(1000);
  await settle();
  looks[2]?.fail(new Error('EIO'));
  await settle();
  t.match(health(), { misses: 4, failures: 1 });
});

t.test('while a source fails, hints are heeded once a second', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner } = stage(t, clock);
  const { collector, looks, wake } = createSource(t, { everyMs: 60_000 });
  runner.add(collector);
  await settle();
  for (let second = 1; second <= 3; second++) {
    looks.at(-1)?.fail(new Error('no'));
    await settle();
    for (let times = 0; times < 10; times++) {
      wake();
      await settle();
      pass(99);
      await settle();
    }
    t.equal(looks.length, second);
    pass(10);
    await settle();
    t.equal(looks.length, second + 1);
  }
});

t.test('a look that hangs is aborted and counted, blocks only itself, and its late answer is taken', async (t) => {
  const { runner, next, lines } = stage(t);
  const hanging = createSource(t, {}, 20);
  const other = createSource(t);
  runner.add(hanging.collector);
  await settle();
  runner.add({ ...other.collector, name: 'other' });
  await settle();
  await hanging.next('abort');
  t.match(runner.health()[0], { failures: 1, error: /within 20 ms/ });
  t.same(lines, ['warn a look takes too long']);
  const batch = next('batch');
  other.looks[0]?.answer({ gpus: [] });
  t.same(await batch, [{ gpus: [] }, 'other']);
  hanging.wake();
  await settle();
  t.equal(hanging.looks.length, 1, 'no second look beside it');
  const late = next('batch');
  hanging.looks[0]?.answer({ samples: [] });
  t.same(await late, [{ samples: [] }, 'source']);
  t.match(runner.health()[0], { failures: 0, error: null });
});

t.test('a batch that cannot be kept is said to the source, which then says everything again', async (t) => {
  const { clock, pass } = createHandClock();
  let full = true;
  const { runner, next, lines } = stage(t, clock, () => {
    if (full) throw new Error('disk full');
  });
  const { collector, looks, startedOver } = createSource(t);
  runner.add(collector);
  await settle();
  const said = next('line');
  looks[0]?.answer({ samples: [] });
  await said;
  t.same(lines, ['error what a look found could not be kept']);
  t.equal(startedOver(), 1);
  full = false;
  await settle();
  pass(2000);
  await settle();
  const batch = next('batch');
  looks[1]?.answer({ samples: [] });
  await batch;
  t.match(runner.health(), [{ error: null }]);
});

t.test('a removed source says nothing any more and its name is free at once', async (t) => {
  const { runner, next } = stage(t);
  const removed = createSource(t);
  const successor = createSource(t);
  runner.add(removed.collector);
  await settle();
  runner.remove('source');
  runner.add(successor.collector);
  await settle();
  const batch = next('batch');
  removed.looks[0]?.answer({ samples: [] });
  successor.looks[0]?.answer({ gpus: [] });
  t.same(await batch, [{ gpus: [] }, 'source']);
});

t.test('closing aborts and waits for a look, and closes what the source holds', async (t) => {
  const { runner } = stage(t);
  const { collector, looks, next } = createSource(t);
  let closed = false;
  runner.add({
    ...collector,
    close: () => {
      closed = true;
    },
  });
  await settle();
  const aborted = next('abort');
  const closing = runner.close();
  await aborted;
  t.notOk(closed);
  looks[0]?.fail(new Error('aborted'));
  await closing;
  t.ok(closed);
  t.same(runner.health(), []);
});

t.test('closing does not wait for ever for a look that hangs', async (t) => {
  const { runner } = stage(t);
  runner.add(createSource(t).collector);
  await settle();
  await runner.close();
  t.same(runner.health(), []);
});

t.test('a row that is appended to a run is there without waiting for the poll, in bursts too', async (t) => {
  const path = t.testdir({ 'args.yaml': 'epochs: 200\n', 'results.csv': 'epoch,time,loss\n' });
  const { clock } = createHandClock();
  const epochs: number[] = [];
  const events = new EventEmitter();
  const { runner, next } = stage(t, clock, (batch) => {
    for (const { rows } of batch.runs ?? []) epochs.push(...rows.map(({ epoch }) => epoch));
    events.emit(`rows ${epochs.length}`);
  });
  runner.add(
    createRunFolderCollector(path, { clock: systemClock, log: { info: () => {}, warn: () => {}, error: () => {} } }),
  );
  await next('batch');
  for (let epoch = 1; epoch <= 200; epoch++) {
    appendFileSync(join(path, 'results.csv'), `${epoch},${epoch * 10},0.5\n`);
    if (epoch % 7 === 0) await settle();
  }
  if (epochs.length < 200) await once(events, 'rows 200', { signal: AbortSignal.timeout(10_000) });
  t.same(
    epochs,
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
});

t.test('a run that appears below a root is found without waiting for the walk', async (t) => {
  const root = t.testdir({ detect: {} });
  const { clock } = createHandClock();
  const { runner } = stage(t, clock);
  const found = new EventEmitter();
  const onFolder = (path: string) => found.emit('folder', path);
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const finder = createRunFinder({
    settled: new Map(),
    roots: [root],
    onFolder,
    isWatched: () => false,
    log,
  });
  runner.add(finder);
  // Past the walk that a start begins with; the clock stands still, so that no other comes.
  while (runner.health()[0]?.lastSuccessAt == null) await new Promise(setImmediate);
  const folder = once(found, 'folder', { signal: AbortSignal.timeout(10_000) });
  // chokidar arms its watches in its own time; rewriting the file hints again until it has.
  const path = join(root, 'detect/args.yaml');
  const again = setInterval(() => writeFileSync(path, 'task: detect\n'), 50);
  t.same(await folder.finally(() => clearInterval(again)), [join(root, 'detect')]);
});
