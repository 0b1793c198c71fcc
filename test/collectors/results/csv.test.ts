import t from 'tap';
import { createResultsParser, MAX_LINE_BYTES } from '../../../src/collectors/results/parser.ts';

const parse = (text: string) => {
  const parser = createResultsParser();
  const { rows, taken } = parser.push(Buffer.from(text));
  return { rows, taken, keptOut: parser.rowsKeptOut(), generation: parser.generation() };
};
const padded = (width: number, cells: readonly (string | number)[]) =>
  `${cells.map((cell) => String(cell).padStart(width)).join(',')}\n`;

t.test('the padded and the unpadded family give the same values under the trimmed column names', async (t) => {
  const names = ['epoch', 'train/box_loss', 'metrics/mAP_0.5:0.95', 'x/lr0'];
  const wanted = { 'train/box_loss': 0.5, 'metrics/mAP_0.5:0.95': 0.25, 'x/lr0': 8.33e-6 };
  for (const width of [0, 20, 23]) {
    const { rows, keptOut } = parse(padded(width, names) + padded(width, [0, 0.5, 0.25, '8.33e-06']));
    t.same(
      rows.map((row) => row.metrics),
      [wanted],
      `width ${width}`,
    );
    t.equal(rows[0]?.elapsedS, null);
    t.equal(keptOut, 0);
  }
});

t.test('epoch and time are no metrics, every other column is one under its own name', async (t) => {
  const { rows } = parse('epoch,time,lr/pg7,_runtime,train/box_om\n1,12.5,0.1,77,3\n');
  t.same(rows, [
    {
      epoch: 1,
      elapsedS: 12.5,
      metrics: { 'lr/pg7': 0.1, _runtime: 77, 'train/box_om': 3 },
      fileAttempt: 0,
      fileAttemptKind: 'start',
    },
  ]);
});

t.test('values that are not finite are null and keep what they were', async (t) => {
  const [row] = parse('epoch,a,b,c,d\n1,nan,inf,-inf,1e999\n').rows;
  t.same(row?.metrics, { a: null, b: null, c: null, d: null });
  t.same(row?.nonFinite, { a: 'nan', b: 'inf', c: '-inf', d: 'inf' });
});

t.test('an empty cell was not written: null, and not called not finite', async (t) => {
  const [row] = parse('epoch,a,b\n1,,2\n').rows;
  t.same(row?.metrics, { a: null, b: 2 });
  t.notOk(row?.nonFinite);
});

t.test('Windows line ends, a byte order mark and blank lines change nothing', async (t) => {
  const { rows, keptOut } = parse('\uFEFFepoch,a\r\n1,2\r\n\r\n2,3\r\n');
  t.same(
    rows.map((row) => [row.epoch, row.metrics.a]),
    [
      [1, 2],
      [2, 3],
    ],
  );
  t.equal(keptOut, 0);
});

t.test('a line that is no row is counted and kept out, and its neighbours are not', async (t) => {
  const broken = ['2,1', '2,1,1,1', '2,x,1', '2,0x10,1', '-1,1,1', '1.5,1,1', 'nan,1,1', ',1,1'];
  for (const line of broken) {
    const { rows, keptOut } = parse(`epoch,a,b\n1,1,1\n${line}\n3,1,1\n`);
    t.same(
      rows.map((row) => row.epoch),
      [1, 3],
      line,
    );
    t.equal(keptOut, 1, line);
  }
});

t.test('NUL bytes after a crash are counted once, also before they end, and the row behind them is read', async (t) => {
  const crashed = `epoch,a\n1,1\n${'\0'.repeat(481)}`;
  t.equal(parse(crashed).keptOut, 1);
  const resumed = parse(`${crashed}2,2\n`);
  t.same(
    resumed.rows.map((row) => row.epoch),
    [1, 2],
  );
  t.equal(resumed.keptOut, 1);
});

t.test('hostile column names are columns and nothing more', async (t) => {
  const [row] = parse('epoch,__proto__,constructor,toString\n1,5,6,7\n').rows;
  t.same(Object.entries(row?.metrics ?? {}), [
    ['__proto__', 5],
    ['constructor', 6],
    ['toString', 7],
  ]);
  t.equal(Object.getPrototypeOf(row?.metrics), Object.prototype);
});

t.test('a file without a header gives no rows and counts its lines', async (t) => {
  const { rows, keptOut, generation } = parse('not,a,header\n1,2,3\n2,3,4\n');
  t.same(rows, []);
  t.equal(keptOut, 3);
  t.type(generation, 'string', 'so that it is shown');
});

t.test('a header that is written again is no row, and another one names the columns from there on', async (t) => {
  const { rows, keptOut } = parse('epoch,a\n1,5\nepoch,a\n2,6\nepoch,b,a\n3,7,8\n4,9\n');
  t.same(
    rows.map(({ epoch, metrics }) => [epoch, metrics]),
    [
      [1, { a: 5 }],
      [2, { a: 6 }],
      [3, { b: 7, a: 8 }],
    ],
  );
  t.equal(keptOut, 1, 'the row of the old length');
});

t.test('a line without end is not waited for', async (t) => {
  const parser = createResultsParser();
  parser.push(Buffer.from('epoch,a\n1,1\n'));
  t.equal(parser.push(Buffer.alloc(MAX_LINE_BYTES, 0x78)).taken, MAX_LINE_BYTES);
  const { rows } = parser.push(Buffer.from('xxx\n2,2\n'));
  t.same(
    rows.map((row) => row.epoch),
    [2],
  );
  t.equal(parser.rowsKeptOut(), 1);
});

t.test('the epoch falling is a re-run, time falling or an epoch repeated a resume', async (t) => {
  const attempts = (text: string) => parse(text).rows.map((row) => [row.epoch, row.fileAttempt, row.fileAttemptKind]);
  t.same(attempts('epoch,a\n1,1\n2,1\n1,1\n2,1\n'), [
    [1, 0, 'start'],
    [2, 0, 'start'],
    [1, 1, 'rerun'],
    [2, 1, 'rerun'],
  ]);
  t.same(attempts('epoch,time\n59,22997\n60,299\n61,600\n'), [
    [59, 0, 'start'],
    [60, 1, 'resume'],
    [61, 1, 'resume'],
  ]);
  t.same(attempts('epoch,time\n5,500\n5,90\n'), [
    [5, 0, 'start'],
    [5, 1, 'resume'],
  ]);
  t.same(attempts('epoch,time\n5,500\n1,90\n'), [
    [5, 0, 'start'],
    [1, 1, 'rerun'],
  ]);
  t.same(attempts('epoch,a\n5,1\n5,2\n'), [
    [5, 0, 'start'],
    [5, 1, 'resume'],
  ]);
  t.same(
    attempts('epoch,time\n1,95\n1,90\n'),
    [
      [1, 0, 'start'],
      [1, 1, 'rerun'],
    ],
    'after the first epoch there is nothing to resume from',
  );
  t.same(
    attempts('epoch,time\n5,500\n5,600\n'),
    [
      [5, 0, 'start'],
      [5, 0, 'start'],
    ],
    'one process said it twice',
  );
});

t.test('the generation is known with the first row and stays while the file grows', async (t) => {
  t.equal(parse('epoch,a\n').generation, null);
  t.equal(parse('epoch,a\n1,1').generation, null);
  const { generation } = parse('epoch,a\n1,1\n');
  t.type(generation, 'string');
  t.equal(parse('epoch,a\n1,1\n2,2\n').generation, generation);
  t.not(parse('epoch,a\n1,2\n').generation, generation);
  t.not(parse('epoch,b\n1,1\n').generation, generation);
});
