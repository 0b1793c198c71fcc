import t from 'tap';
import { createSidecarParser } from '../../../src/collectors/run/sidecar.ts';

const LINES = [
  '{"t":1,"kind":"start","pid":1}',
  '{"t":2,"kind":"batch","epoch":1,"batch":1,"loss":{"größe":1}}',
  '{"t":3,"kind":"end","reason":"finished"}',
];

t.test('each line is an event, with the byte that it ends at', async (t) => {
  const parser = createSidecarParser();
  t.match(parser.push(Buffer.from(`${LINES.join('\n')}\n`)), [
    { offset: 30, event: { kind: 'start', pid: 1 } },
    { offset: 94, event: { kind: 'batch', loss: { größe: 1 } } },
    { offset: 135, event: { kind: 'end' } },
  ]);
  t.same(parser.broken(), { lines: 0, problem: null });
});

t.test('a sidecar says the same in whatever pieces it comes', async (t) => {
  const bytes = Buffer.from(`${LINES.join('\r\n')}\n`);
  const whole = createSidecarParser().push(bytes);
  const parser = createSidecarParser();
  const pieces = Array.from(bytes, (byte) => parser.push(Buffer.from([byte]))).flat();
  t.same(pieces, whole);
  t.equal(whole.length, 3);
});

t.test('a line waits for its end, however long that takes', async (t) => {
  const parser = createSidecarParser();
  t.same(parser.push(Buffer.from('{"t":1,"kind":"log","line":"x"')), []);
  t.same(parser.rest(), []);
  t.match(parser.push(Buffer.from('}\n')), [{ event: { line: 'x' } }]);
});

t.test('a broken line costs itself only and is counted; a kind of a later version is not broken', async (t) => {
  const parser = createSidecarParser();
  const text = `${LINES[0]}\n{"t":2,"ki\n\n{"t":2,"kind":"dream"}\n{"t":2,"kind":"phase"}\n\0\0\0${LINES[2]}\n`;
  t.match(parser.push(Buffer.from(text)), [{ event: { kind: 'start' } }, { event: { kind: 'end' } }]);
  t.match(parser.broken(), { lines: 2, problem: /epoch/ });
});

t.test('a line without end is given up, and what follows it is read', async (t) => {
  const parser = createSidecarParser();
  for (let count = 0; count < 5; count += 1) parser.push(Buffer.alloc(1024 * 1024, 'x'));
  t.match(parser.push(Buffer.from(`\n${LINES[0]}\n`)), [{ event: { kind: 'start' } }]);
  t.equal(parser.broken().lines, 1);
});
