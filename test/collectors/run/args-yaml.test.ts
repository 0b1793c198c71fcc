import t from 'tap';
import { MAX_ARGS_BYTES, parseArgs, withHyperparameters } from '../../../src/collectors/run/args-yaml.ts';

t.test('the arguments of Ultralytics come as plain values', async (t) => {
  const { args } = parseArgs('task: detect\nmodel: yolo11n.pt\nepochs: 100\ntime: null\nlr0: 0.01\nclasses: [0, 2]\n');
  t.same(args, { task: 'detect', model: 'yolo11n.pt', epochs: 100, time: null, lr0: 0.01, classes: [0, 2] });
});

t.test('Python tags of an opt.yaml are read as what they carry', async (t) => {
  const { args } = parseArgs('weights: yolov5s.pt\nsave_dir: !!python/object/apply:pathlib.PosixPath\n- runs\n- exp\n');
  t.same(args, { weights: 'yolov5s.pt', save_dir: ['runs', 'exp'] });
});

t.test('a Python tuple, name or object is the value that it carries', async (t) => {
  const { args } = parseArgs(
    "a: !!python/tuple\n- 1\n- 2\nb: !!python/name:torch.nn.SiLU ''\nc: !!python/object:x.Y\n  z: 1\nd: &id001 [1]\ne: *id001\n",
  );
  t.same(args, { a: [1, 2], b: '', c: { z: 1 }, d: [1], e: [1] });
});

t.test('Windows paths, line ends and a byte order mark change nothing', async (t) => {
  const { args } = parseArgs('\uFEFFdata: .\\data\\tree.yaml\r\nproject: C:\\runs\\train\r\nlr0: 1.0e-05\r\n');
  t.same(args, { data: '.\\data\\tree.yaml', project: 'C:\\runs\\train', lr0: 1e-5 });
});

t.test('words that are no YAML of today stay words', async (t) => {
  t.same(parseArgs('a: yes\nb: off\nc: true\nd: null\ne: 640:480\n').args, {
    a: 'yes',
    b: 'off',
    c: true,
    d: null,
    e: '640:480',
  });
});

t.test('of a file that was cut off by a crash the complete lines are read', async (t) => {
  t.same(parseArgs('task: detect\nepochs: 100\nmod').args, { task: 'detect', epochs: 100 });
  t.same(parseArgs('task: detect\nclasses: [0, 1').args, { task: 'detect' });
  t.same(parseArgs(`epochs: 100\n${'\0'.repeat(481)}`).args, { epochs: 100 });
  t.match(parseArgs('tas'), { args: null, problem: /found a string/ });
});

t.test('hyperparameters stand among the arguments of YOLOv5, v7 and v9, and the arguments win', async (t) => {
  const hyp = { lr0: 0.01, label_smoothing: 0.1 };
  t.same(withHyperparameters({ hyp: 'data/hyp.yaml', epochs: 3, label_smoothing: 0 }, hyp), {
    hyp: 'data/hyp.yaml',
    epochs: 3,
    lr0: 0.01,
    label_smoothing: 0,
  });
  t.same(withHyperparameters({ hyp: { lr0: 0.02 }, epochs: 3 }, hyp), {
    hyp: { lr0: 0.02 },
    epochs: 3,
    lr0: 0.02,
    label_smoothing: 0.1,
  });
  t.same(withHyperparameters({ epochs: 3 }, null), { epochs: 3 });
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
