import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLogFilesCollector } from '../../../src/collectors/log/files.ts';
import { createSharedLog, type SharedLog } from '../../../src/collectors/log/shared.ts';
import type { ObservedOutput } from '../../../src/core/batch.ts';
import type { Log } from '../../../src/core/log.ts';
import { epochOf, opening } from '../console/lines.ts';

const signal = AbortSignal.timeout(60_000);

/** One log, and the runs that are known so far, by the folder that the log prints. */
const stage = (t: Test) => {
  const path = join(t.testdir({}), 'all.log');
  const runs = new Map<string, string>();
  const shared = createSharedLog({ path, runOf: (folder) => runs.get(folder) ?? null, now: Date.now });
  return { path, runs, shared };
};

const look = async (shared: SharedLog) => (await shared.look(signal)).outputs;

/** What a run got: the kinds that are no lines, and how many lines. */
const summary = ({ path, events }: ObservedOutput) => ({
  path,
  said: events.flatMap(({ event }) => (event.kind === 'log' || event.kind === 'batch' ? [] : event.kind)),
  lines: events.filter(({ event }) => event.kind === 'log').length,
});

const training = (folder: string) =>
  `${opening({ folder })}${epochOf(1, { total: 2 })}\n3 epochs completed in 1.0 hours.\nResults saved to ${folder}\n`;

t.test('each run gets its part of a log that serves several, from its header on', async (t) => {
  const { path, runs, shared } = stage(t);
  runs.set('runs/a', '/w/runs/a').set('runs/b', '/w/runs/b');
  writeFileSync(path, `$ python a.py\n${training('runs/a')}bye\n${training('runs/b')}`);
  const [a, b, ...more] = await look(shared);
  t.same(more, []);
  t.match(a && summary(a), { path: '/w/runs/a', said: ['start', 'phase', 'phase', 'end'] });
  t.match(b && summary(b), { path: '/w/runs/b', said: ['start', 'phase', 'phase', 'end'] });
  const textOf = (output?: ObservedOutput) =>
    output?.events.map(({ event }) => (event.kind === 'log' ? event.line : '')).join('\n') ?? '';
  t.match(textOf(a), /^\$ python[\s\S]*runs\/a[\s\S]*bye$/);
  t.notMatch(textOf(a), 'runs/b');
  t.match(textOf(b), /^Ultralytics/);
  t.ok((a?.events.at(-1)?.offset ?? 0) < (b?.events[0]?.offset ?? 0), 'offsets are those of the log');
  t.equal(a?.writtenAt, null, 'the file was last written by another run');
  t.type(b?.writtenAt, 'number');
  t.equal(a?.source, path);
});

t.test('a part is kept back until its run is known, and then given whole', async (t) => {
  const { path, runs, shared } = stage(t);
  writeFileSync(path, training('runs/a'));
  t.same(await look(shared), []);
  appendFileSync(path, training('runs/b'));
  t.same(await look(shared), []);
  runs.set('runs/a', '/w/runs/a');
  t.match((await look(shared)).map(summary), [{ path: '/w/runs/a', said: ['start', 'phase', 'phase', 'end'] }]);
  t.same(await look(shared), []);
  runs.set('runs/b', '/w/runs/b');
  t.match((await look(shared)).map(summary), [{ path: '/w/runs/b', said: ['start', 'phase', 'phase', 'end'] }]);
});

t.test('a part that grows is given as it grows', async (t) => {
  const { path, runs, shared } = stage(t);
  runs.set('runs/a', '/w/runs/a');
  writeFileSync(path, opening({ folder: 'runs/a' }));
  t.match((await look(shared)).map(summary), [{ said: ['start'] }]);
  appendFileSync(path, epochOf(1, { total: 2 }));
  t.match((await look(shared)).map(summary), [{ said: ['phase', 'phase'] }]);
});

t.test('a run that is resumed into the same log gets both parts in order', async (t) => {
  const { path, runs, shared } = stage(t);
  runs.set('runs/a', '/w/runs/a');
  writeFileSync(path, training('runs/a').repeat(2));
  const [a, ...more] = await look(shared);
  t.same(more, []);
  t.equal(a && summary(a).said.filter((kind) => kind === 'start').length, 2);
  const offsets = a?.events.map(({ offset }) => offset) ?? [];
  t.same(
    offsets,
    offsets.toSorted((x, y) => x - y),
  );
});

t.test('a process that never named a folder, such as a failed import, belongs to nobody', async (t) => {
  const { path, runs, shared } = stage(t);
  runs.set('runs/b', '/w/runs/b');
  writeFileSync(
    path,
    `Ultralytics 8.3.199 🚀 Python-3.11.13 torch-2.4.1+cu121 CPU\nValueError: no\n${training('runs/b')}`,
  );
  t.match((await look(shared)).map(summary), [{ path: '/w/runs/b', said: ['start', 'phase', 'phase', 'end'] }]);
});

t.test('a log that was rotated away loses nobody what comes next', async (t) => {
  const { path, runs, shared } = stage(t);
  runs.set('runs/a', '/w/runs/a').set('runs/b', '/w/runs/b');
  writeFileSync(path, training('runs/a'));
  const [before] = await look(shared);
  writeFileSync(path, training('runs/b'));
  const [after] = await look(shared);
  t.match(after && summary(after), { path: '/w/runs/b', said: ['start', 'phase', 'phase', 'end'] });
  t.not(after?.generation, before?.generation);
});

t.test('what got lost is said again', async (t) => {
  const { path, runs, shared } = stage(t);
  runs.set('runs/a', '/w/runs/a');
  writeFileSync(path, training('runs/a'));
  const first = await look(shared);
  shared.startOver();
  t.same(await look(shared), first);
});

t.test('the logs that globs match are followed, those too that appear later', async (t) => {
  const folder = t.testdir({});
  const warned: string[] = [];
  const log: Log = { info: () => {}, warn: (_, message) => warned.push(message), error: () => {} };
  const collector = createLogFilesCollector({
    globs: [join(folder, '*', '*.log')],
    runOf: (name) => `/w/${name}`,
    now: Date.now,
    log,
  });
  t.same(await collector.collect(signal), {});
  mkdirSync(join(folder, 'slurm'));
  writeFileSync(join(folder, 'slurm', '1.log'), training('runs/a'));
  const outputs: ObservedOutput[] = [];
  for (let look = 0; look < 10; look += 1) outputs.push(...((await collector.collect(signal)).outputs ?? []));
  t.match(outputs.map(summary), [{ path: '/w/runs/a', said: ['start', 'phase', 'phase', 'end'] }]);
  t.same(warned, []);
});
