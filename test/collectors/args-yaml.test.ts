import t from 'tap';
import { MAX_ARGS_BYTES, parseArgs } from '../../src/collectors/args-yaml.ts';

t.test('the arguments of Ultralytics come as plain values', async (t) => {
  const { args } = parseArgs('task: detect\nmodel: yolo11n.pt\nepochs: 100\ntime: null\nlr0: 0.01\nclasses: [0, 2]\n');
  t.same(args, { task: 'detect', model: 'yolo11n.pt', epochs: 100, time: null, lr0: 0.01, classes: [0, 2] });
});

t.test('Python tags of an opt.yaml are read as what they carry', async (t) => {
  const { args } = parseArgs('weights: yolov5s.pt\nsave_dir: !!python/object/apply:pathlib.PosixPath\n- runs\n- exp\n');
  t.same(args, { weights: 'yolov5s.pt', save_dir: ['runs', 'exp'] });
});

t.test('numbers that JSON cannot hold are null', async (t) => {
  t.same(parseArgs('a: .nan\nb: .inf\nc: 1\n').args, { a: null, b: null, c: 1 });
});

t.test('a file that is no mapping is refused with the reason', async (t) => {
  t.match(parseArgs('- a\n- b\n'), { args: null, problem: /found a list/ });
  t.match(parseArgs('hello'), { args: null, problem: /found a string/ });
  t.match(parseArgs(''), { args: null, problem: /found nothing/ });
  t.match(parseArgs('a: [1, 2\nb: }'), { args: null, problem: /./ });
  t.match(parseArgs('\0\0\0\0'), { args: null, problem: /./ });
});

t.test('bombs are refused', async (t) => {
  const aliases = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (let level = 1; level < 9; level++) {
    const from = String.fromCharCode(96 + level);
    const to = String.fromCharCode(97 + level);
    aliases.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(',')}]`);
  }
  t.match(parseArgs(aliases.join('\n')), { args: null, problem: /alias/i });
  t.match(parseArgs(`a: ${'['.repeat(100_000)}`), { args: null, problem: /./ });
  t.match(parseArgs('a: 1\n'.repeat(MAX_ARGS_BYTES)), { args: null, problem: /at most/ });
});

t.test('a key called __proto__ changes no prototype', async (t) => {
  const { args } = parseArgs('__proto__:\n  polluted: true\nepochs: 3\n');
  t.equal(args?.epochs, 3);
  t.notOk('polluted' in (args ?? {}));
  t.notOk('polluted' in {});
});
