import t from 'tap';
import { parseEventLine } from '../../src/core/trace-line.ts';

const eventOf = (line: string) => {
  const read = parseEventLine(line);
  return 'event' in read ? read.event : read.problem;
};

t.test('a line of each kind is taken as it is', async (t) => {
  for (const event of [
    { t: 1, kind: 'start', pid: 1, framework: 'ultralytics 8.3.199', images: 11705, instances: { car: 3 } },
    { t: 2, kind: 'batch', epoch: 3, batch: 120, batches: 732, loss: { box_loss: 0.41 }, dataS: 0.004, stepS: 0.33 },
    { t: 3, kind: 'classes', epoch: 3, mAP50: { car: 0.86 }, 'mAP50-95': { car: null } },
    { t: 4, kind: 'phase', epoch: 3, phase: 'val' },
    { t: 5, kind: 'end', reason: 'exception', error: 'x' },
    { t: 6, kind: 'args', epochs: 100, imgsz: 640 },
    { t: 7, kind: 'epoch', epoch: 3, elapsedS: null, metrics: { 'train/box_loss': 'nan' } },
    { t: 8, kind: 'log', line: 'hello' },
  ]) {
    t.same(parseEventLine(JSON.stringify({ ...event, run: 'train' })), { event, run: 'train' });
    t.same(parseEventLine(JSON.stringify(event)), { event, run: null });
  }
});

t.test('what is not finite is a word in a series and unknown elsewhere, however it was written', async (t) => {
  const line =
    '{"t":1,"kind":"batch","epoch":1,"batch":2,"dataS":NaN,"stepS":"inf","loss":{"a":NaN,"b":-Infinity,"c":"Infinity","d":1e999,"e \\"NaN\\"":1}}';
  t.same(eventOf(line), {
    t: 1,
    kind: 'batch',
    epoch: 1,
    batch: 2,
    loss: { a: 'nan', b: '-inf', c: 'inf', d: 'inf', 'e "NaN"': 1 },
  });
});

t.test(
  'fields of a later version are dropped, a missing moment is unknown, a fraction of a millisecond is cut',
  async (t) => {
    t.same(eventOf('{"kind":"phase","epoch":1,"phase":"val","mood":"good"}'), {
      t: null,
      kind: 'phase',
      epoch: 1,
      phase: 'val',
    });
    t.match(eventOf('{"t":1757427471000.4,"kind":"log","line":"x"}'), { t: 1_757_427_471_000 });
  },
);

t.test('a line that is too long to show is cut, a whole line that is too long is refused', async (t) => {
  t.match(eventOf(JSON.stringify({ t: 1, kind: 'log', line: 'x'.repeat(5000) })), { line: 'x'.repeat(4096) });
  t.match(eventOf(JSON.stringify({ t: 1, kind: 'log', line: 'x'.repeat(2 ** 20) })), /expected at most 1048576/);
});

t.test('a kind that is not ours is told from a broken line', async (t) => {
  t.match(parseEventLine('{"t":1,"kind":"gpu","gpu":0}'), { problem: /gpu/, unknownKind: 'gpu' });
  t.notOk('unknownKind' in parseEventLine('{"t":1,"kind":7}'));
});

t.test('a problem says where it is', async (t) => {
  t.match(eventOf('{"t":1,"kind":"ba'), /is not a JSON object/);
  t.match(eventOf('[1]'), /is not a JSON object/);
  t.match(eventOf('{"t":1,"kind":"phase","epoch":1.5,"phase":"val"}'), /^epoch: /);
  t.match(eventOf('{"t":1,"kind":"phase","phase":"val"}'), /epoch/);
  t.match(eventOf('{"t":1,"kind":"batch","epoch":1,"batch":2,"loss":{"a":{}}}'), /^loss\/a: /);
  t.match(eventOf('{"t":1,"kind":"start","run":7}'), /^run: /);
});

t.test('names cannot trick whoever copies them', async (t) => {
  const event = eventOf(
    '{"t":1,"kind":"classes","epoch":1,"__proto__":{"x":1},"mAP50":{"__proto__":null,"a\\nb":0.5,"car":1}}',
  );
  t.same(event, { t: 1, kind: 'classes', epoch: 1, mAP50: { 'a b': 0.5, car: 1 } });
  t.match(
    eventOf('{"t":1,"kind":"classes","epoch":1,"mAP50":{"a\\nb":{"evil":1}}}'),
    /^mAP50/,
    'nor pass by a line end',
  );
});

t.test('a hostile line costs no time', async (t) => {
  const startedAt = performance.now();
  t.match(eventOf(`{"a":"${'\\"'.repeat(400_000)}`), /is not a JSON object/);
  t.ok(performance.now() - startedAt < 2000);
});

t.test('a moment in other units than milliseconds is no moment', async (t) => {
  for (const at of [Date.now() * 1e6, 8.7e15, -5]) {
    t.match(
      parseEventLine(JSON.stringify({ t: at, kind: 'phase', epoch: 1, phase: 'train' })),
      { problem: String },
      `${at}`,
    );
  }
});
