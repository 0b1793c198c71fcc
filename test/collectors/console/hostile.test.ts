import t from 'tap';
import { createConsoleParser } from '../../../src/collectors/console/parser.ts';
import { epochOf, eventsOf, only, opening, tqdmBar } from './lines.ts';

/** A small generator of numbers below `limit`, the same for the same seed (mulberry32). */
const random = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
};

const LOG =
  opening({ folder: 'läufe/🚂' }) +
  epochOf(1) +
  epochOf(2, { bar: tqdmBar }) +
  'WARNING ⚠️ x\r\n\r\nTraceback (most recent call last):\n  File "a", line 1\nValueError: ü\nmore\n\n3 epochs completed in 1 hours.\n';

const parsedInPieces = (bytes: Buffer, next: () => number) => {
  const parser = createConsoleParser();
  const items = [];
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + next());
    items.push(...parser.push(bytes.subarray(from, to)));
    from = to;
  }
  return [...items, ...parser.rest()].map(({ offset, event, process }) => ({ offset, event, process }));
};

t.test('a log says the same in whatever pieces it comes', async (t) => {
  const bytes = Buffer.from(LOG);
  const whole = parsedInPieces(bytes, () => bytes.length);
  t.ok(whole.length > 100, `${whole.length} events`);
  t.same(
    parsedInPieces(bytes, () => 1),
    whole,
    'byte by byte: UTF-8, escapes and line ends are cut everywhere',
  );
  for (let seed = 1; seed <= 20; seed += 1) {
    const next = random(seed);
    t.same(
      parsedInPieces(bytes, () => 1 + next(400)),
      whole,
      `seed ${seed}`,
    );
  }
});

t.test('offsets never fall, and none is behind the log', async (t) => {
  const bytes = Buffer.from(LOG);
  let last = 0;
  for (const { offset } of parsedInPieces(bytes, () => 1000)) {
    t.ok(offset >= last && offset <= bytes.length);
    last = offset;
  }
});

t.test('whatever bytes it is fed, it does not throw', async (t) => {
  const original = Buffer.from(LOG);
  for (let seed = 1; seed <= 40; seed += 1) {
    const next = random(seed);
    const bytes = Buffer.from(original);
    for (let change = 0; change < 200; change += 1) bytes[next(bytes.length)] = next(256);
    const noise = Buffer.from(Array.from({ length: 5000 }, () => next(256)));
    t.ok(parsedInPieces(Buffer.concat([noise, bytes, noise]), () => 1 + next(5000)).length > 0);
  }
});

t.test('a line without end costs neither memory nor what follows it', async (t) => {
  const parser = createConsoleParser();
  const megabyte = Buffer.alloc(1024 * 1024, 'x');
  for (let count = 0; count < 8; count += 1) t.same(parser.push(megabyte), []);
  const [long, next] = parser.push(Buffer.from('\nClosing dataloader mosaic\n'));
  t.match(long, { offset: 8 * 1024 * 1024, event: { kind: 'log', line: 'x'.repeat(4096) } });
  t.match(next, { event: { code: 'mosaic_closed' } });
});

t.test('NUL bytes of a lost host or of a log that was cut under its writer are not there', async (t) => {
  const nuls = '\0'.repeat(300_000);
  t.match(only('log', eventsOf(`${nuls}Closing dataloader mosaic\n${nuls}`)), [{ code: 'mosaic_closed' }]);
});

t.test('a line that had no end yet is not said twice when only its end comes', async (t) => {
  const parser = createConsoleParser();
  parser.push(Buffer.from('a\nKeyboardInterrupt'));
  const [line, end] = parser.rest();
  t.match(end, { offset: 19, event: { kind: 'end' } });
  t.same(parser.rest(), []);
  t.same(parser.push(Buffer.from('\n')), []);
  t.equal(line?.offset, 19);
});

t.test('a line that was taken before its end and went on comes again, whole and later in the log', async (t) => {
  const parser = createConsoleParser();
  parser.push(Buffer.from('Closing data'));
  t.match(parser.rest(), [{ offset: 12, event: { line: 'Closing data' } }]);
  t.match(parser.push(Buffer.from('loader mosaic\n')), [{ offset: 25, event: { code: 'mosaic_closed' } }]);
});

t.test('lines that end the Windows way are lines', async (t) => {
  const lines = only('log', eventsOf('one\r\ntwo\r\n\r\nthree\r\n')).map(({ line }) => line);
  t.same(lines, ['one', 'two', 'three']);
});
