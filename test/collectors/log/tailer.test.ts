import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createConsoleParser } from '../../../src/collectors/console/parser.ts';
import { createLogTailer } from '../../../src/collectors/log/tailer.ts';

/** A log that does not exist yet, and looks at it. `wait` makes the file older. */
const stage = (t: Test) => {
  const file = join(t.testdir({}), 'train.log');
  let later = 0;
  const tailer = createLogTailer({ path: file, createParser: createConsoleParser, now: () => Date.now() + later });
  const look = () => tailer.look(AbortSignal.timeout(20_000));
  const lines = async () => (await look()).items.flatMap(({ event }) => (event.kind === 'log' ? event.line : []));
  const wait = (milliseconds: number) => {
    later += milliseconds;
  };
  return { file, tailer, look, lines, wait };
};

t.test('a log that is not there yet is waited for, then each line comes once', async (t) => {
  const { file, look, lines } = stage(t);
  t.same(await look(), { generation: null, writtenAt: null, size: 0, items: [], hasMore: false });
  writeFileSync(file, 'one\ntwo\nthr');
  t.same(await lines(), ['one', 'two']);
  t.same(await lines(), []);
  appendFileSync(file, 'ee\n');
  t.same(await lines(), ['three']);
});

t.test('a last line without an end is taken when nothing follows it', async (t) => {
  const { file, lines, wait } = stage(t);
  writeFileSync(file, 'Ultralytics\nKeyboardInterrupt');
  t.same(await lines(), ['Ultralytics']);
  wait(3000);
  t.same(await lines(), ['KeyboardInterrupt']);
  t.same(await lines(), []);
  appendFileSync(file, '\nmore\n');
  t.same(await lines(), ['more']);
});

t.test('what is seen coming is dated by the file, what was there before is not', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, 'old\n');
  t.same((await look()).items[0]?.event.t, null);
  appendFileSync(file, 'new\n');
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  const { items, writtenAt } = await look();
  t.equal(items[0]?.event.t, 1_700_000_000_000);
  t.equal(writtenAt, 1_700_000_000_000);
});

t.test('an old log that stops with an ending dates it, one that goes on after it does not', async (t) => {
  const endOf = async (text: string) => {
    const { file, look } = stage(t);
    writeFileSync(file, text);
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    return (await look()).items.find(({ event }) => event.kind === 'end')?.event.t;
  };
  const done = 'Starting training for 3 epochs...\n3 epochs completed in 0.1 hours.\n';
  t.equal(await endOf(`${done}Results saved to runs/detect/train\n`), 1_700_000_000_000);
  t.equal(
    await endOf(`${done}     1/3      2.19G      1        2       3      43        640: 100% ━━━━ 7/7 4.7it/s 1.5s\n`),
    null,
  );
});

t.test('a log that was cut is read from its beginning, as another generation', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, 'Ultralytics 8.3.199\none\ntwo\n');
  const before = await look();
  truncateSync(file, 0);
  t.same((await look()).items, []);
  appendFileSync(file, 'Ultralytics 8.3.199\nthree\n');
  const after = await look();
  t.match(after.items.at(-1), { offset: 25, event: { line: 'three' } });
  t.not(after.generation, before.generation, 'although its first line is the same');
});

t.test('a log that was cut and grew beyond its old size before anybody looked is noticed', async (t) => {
  const { file, lines } = stage(t);
  writeFileSync(file, 'Ultralytics 8.3.199\none\n');
  await lines();
  writeFileSync(file, 'Ultralytics 8.3.199\nanother\nand more of it\n');
  t.same(await lines(), ['Ultralytics 8.3.199', 'another', 'and more of it']);
});

t.test('a log that is copied anew as it grows goes on, one that another replaced begins', async (t) => {
  const { file, look, lines } = stage(t);
  const replace = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  writeFileSync(file, 'first\n');
  const { generation } = await look();
  replace('first\nsecond\n');
  t.same(await lines(), ['second']);
  t.equal((await look()).generation, generation);
  rmSync(file);
  t.same(await lines(), []);
  replace('other\nfirst\nsecond\n');
  t.same(await lines(), ['other', 'first', 'second']);
  t.not((await look()).generation, generation);
});

t.test('the generation of a log is the same for every reader, while the log is the same', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, 'Ultralytics');
  t.equal((await look()).generation, null, 'its first line is not complete');
  appendFileSync(file, ' 8.3.199\none\n');
  const { generation } = await look();
  const another = createLogTailer({ path: file, createParser: createConsoleParser, now: Date.now });
  t.equal((await another.look(AbortSignal.timeout(20_000))).generation, generation);
});

t.test('what got lost is said again, with the same offsets', async (t) => {
  const { file, tailer, look } = stage(t);
  writeFileSync(file, 'one\ntwo\n');
  const first = await look();
  tailer.startOver();
  t.same(await look(), first);
});

t.test('a log that cannot be read is an error, and read from its first line when it can be', async (t) => {
  const { file, look, lines } = stage(t);
  writeFileSync(file, 'one\n');
  t.same(await lines(), ['one']);
  rmSync(file);
  symlinkSync('train.log', file);
  await t.rejects(look(), { code: 'ELOOP' });
  rmSync(file);
  writeFileSync(file, 'one\ntwo\n');
  t.same(await lines(), ['one', 'two']);
});

t.test('a folder of that name is no log', async (t) => {
  const { file, look } = stage(t);
  mkdirSync(file);
  t.same(await look(), { generation: null, writtenAt: null, size: 0, items: [], hasMore: false });
});

t.test('a long log is read in several looks and leaves others their turn', async (t) => {
  const { file, look } = stage(t);
  writeFileSync(file, 'x'.repeat(99).concat('\n').repeat(80_000));
  let turns = 0;
  const turn = () => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  const counts: number[] = [];
  do counts.push((await look()).items.length);
  while (counts.at(-1) !== 0);
  clearImmediate(next);
  t.equal(
    counts.reduce((sum, count) => sum + count),
    80_000,
  );
  t.ok(Math.max(...counts) < 25_000, counts.join(', '));
  t.ok(turns > 20, `${turns} turns`);
});
