import { appendFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderOutputs } from '../../../src/collectors/log/folder.ts';
import type { Log } from '../../../src/core/log.ts';
import { epochOf, opening } from '../console/lines.ts';

/** A run folder, and looks at its outputs. */
const stage = (t: Test) => {
  const folder = t.testdir({});
  const warned: string[] = [];
  const log: Log = { info: () => {}, warn: (_, message) => warned.push(message), error: () => {} };
  const outputs = createFolderOutputs(folder, { now: Date.now, log });
  const look = async () => (await outputs.look(AbortSignal.timeout(20_000), readdirSync(folder))).outputs;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  /** Which files said how many events. */
  const found = async () =>
    Object.fromEntries((await look()).map(({ source, events }) => [source.slice(folder.length + 1), events.length]));
  return { folder, outputs, look, found, write, warned };
};

const SIDECAR = '{"t":1,"kind":"phase","epoch":1,"phase":"train"}\n';

t.test('console logs and the sidecar of a run folder are found among its other texts', async (t) => {
  const { found, write } = stage(t);
  write('train.log', opening());
  write('nohup.txt', opening());
  write('signalbox.ndjson', SIDECAR);
  write('results.txt', '     0/299     1.44G    0.1234    0.0567    0.0123    0.1924        45       640\n');
  write('notes.txt', 'buy milk\n');
  write('requirements.txt', 'ultralytics==8.3.199\n');
  write('labels.log', 'Labels are fine.\n');
  const outputs = await found();
  t.same(Object.keys(outputs).sort(), ['nohup.txt', 'signalbox.ndjson', 'train.log']);
  t.same(await found(), {}, 'each event once');
});

t.test('a log is recognised as soon as a training speaks in it', async (t) => {
  const { folder, found, write } = stage(t);
  write('out.log', 'Requirement already satisfied: numpy\n');
  t.same(await found(), {});
  appendFileSync(join(folder, 'out.log'), opening() + epochOf(1, { total: 2 }));
  const { 'out.log': events = 0 } = await found();
  t.ok(events > 15, 'its first line is among the events too');
});

t.test('an output belongs to its folder and says when it was written', async (t) => {
  const { folder, look, write } = stage(t);
  write('signalbox.ndjson', SIDECAR);
  const [output] = await look();
  t.match(output, {
    path: folder,
    source: join(folder, 'signalbox.ndjson'),
    generation: String,
    writtenAt: Number,
    events: [{ offset: 48, event: { t: 1, kind: 'phase' } }],
  });
});

t.test('a file that cannot be read is said once and costs the others nothing', async (t) => {
  const { folder, found, write, warned } = stage(t);
  symlinkSync('loop.log', join(folder, 'loop.log'));
  write('train.log', opening());
  t.same(Object.keys(await found()), ['train.log']);
  await found();
  t.same(warned, ['an output of a run cannot be read']);
  rmSync(join(folder, 'loop.log'));
  write('loop.log', opening());
  t.same(Object.keys(await found()), ['loop.log']);
});

t.test('broken lines of a sidecar are said once', async (t) => {
  const { folder, found, write, warned } = stage(t);
  write('signalbox.ndjson', `{"t":1,"ki\n${SIDECAR}`);
  t.same(await found(), { 'signalbox.ndjson': 1 });
  appendFileSync(join(folder, 'signalbox.ndjson'), `nonsense\n${SIDECAR}`);
  t.same(await found(), { 'signalbox.ndjson': 1 });
  t.same(warned, ['lines of a sidecar cannot be read']);
});

t.test('a folder full of texts is not read whole', async (t) => {
  const { folder, found, write } = stage(t);
  mkdirSync(join(folder, 'sub.log'));
  for (let index = 0; index < 100; index += 1) write(`image_${index}.txt`, opening());
  write('train.log', opening());
  const names = Object.keys(await found());
  t.ok(names.includes('train.log'));
  t.ok(names.length <= 16, `${names.length} files`);
});

t.test('what got lost is said again', async (t) => {
  const { outputs, look, write } = stage(t);
  write('train.log', opening());
  write('signalbox.ndjson', SIDECAR);
  const first = await look();
  t.equal(first.length, 2);
  outputs.startOver();
  t.same(await look(), first);
});
