import t from 'tap';
import { createResultsParser, type ParsedRow } from '../../../src/collectors/results/parser.ts';
import { txtRow } from '../../fixtures/results/lines.ts';
import { ODD_SHAPES } from '../../fixtures/results/odd-shapes.ts';
import { SHAPES } from '../../fixtures/results/shapes.ts';

/** The epochs in file order, a slash where another attempt begins. */
const epochsOf = (rows: readonly ParsedRow[]): string =>
  rows
    .map(({ epoch, fileAttempt }, index) => {
      const before = rows[index - 1];
      return `${before === undefined ? '' : before.fileAttempt === fileAttempt ? ' ' : '/'}${epoch}`;
    })
    .join('');

t.test('every shape of result file gives its rows and its attempts, and counts what is no row', async (t) => {
  for (const [name, { text, rows, keptOut }] of Object.entries({ ...SHAPES, ...ODD_SHAPES })) {
    const parser = createResultsParser();
    const found = parser.push(Buffer.from(text));
    t.equal(epochsOf(found.rows), rows, name);
    t.equal(parser.rowsKeptOut(), keptOut, `${name}: kept out`);
  }
});

t.test('what results.txt and the csv of YOLOv5 both say has the same name in both', async (t) => {
  const parser = createResultsParser();
  const [row] = parser.push(Buffer.from(`${txtRow(7, 299, [0.1, 0.2, 0.3])}\n`)).rows;
  t.same(row, {
    epoch: 7,
    elapsedS: null,
    fileAttempt: 0,
    fileAttemptKind: 'start',
    metrics: {
      gpu_mem: 2.06,
      'train/box_loss': 0.1,
      'train/obj_loss': 0.2,
      'train/cls_loss': 0.3,
      total: 0.6,
      labels: 23,
      img_size: 640,
      'metrics/precision': 0.7,
      'metrics/recall': 0.6,
      'metrics/mAP_0.5': 0.5,
      'metrics/mAP_0.5:0.95': 0.4,
      'val/box_loss': 0.03,
      'val/obj_loss': 0.02,
      'val/cls_loss': 0.01,
    },
  });
  t.equal(parser.epochsPlanned(), 300);
});

t.test('the losses of faces and key points are losses of the training', async (t) => {
  const lossesOf = (losses: readonly number[]) => {
    const [row] = createResultsParser().push(Buffer.from(`${txtRow(0, 9, losses)}\n`)).rows;
    return Object.entries(row?.metrics ?? {}).filter(([name]) => name.startsWith('train/'));
  };
  t.same(lossesOf([1, 2, 3, 4]).at(-1), ['train/landmark_loss', 4]);
  t.same(lossesOf([1, 2, 3, 4, 5]).slice(3), [
    ['train/kpt_loss', 4],
    ['train/kptv_loss', 5],
  ]);
});

t.test('how many epochs are planned is what the last row says, and nothing where rows do not say it', async (t) => {
  const parser = createResultsParser();
  t.equal(parser.epochsPlanned(), null);
  parser.push(Buffer.from(`${txtRow(0, 9, [1, 2, 3])}\n`));
  t.equal(parser.epochsPlanned(), 10);
  parser.push(Buffer.from(`${txtRow(10, 19, [1, 2, 3])}\n`));
  t.equal(parser.epochsPlanned(), 20);
  const csv = createResultsParser();
  csv.push(Buffer.from('epoch,a\n1,1\n'));
  t.equal(csv.epochsPlanned(), null);
});

t.test('a results.txt is known again by its first row', async (t) => {
  const parser = createResultsParser();
  parser.push(Buffer.from(txtRow(0, 9, [1, 2, 3])));
  t.equal(parser.generation(), null, 'not complete');
  parser.push(Buffer.from(`${txtRow(0, 9, [1, 2, 3])}\n`));
  const generation = parser.generation();
  t.type(generation, 'string');
  parser.push(Buffer.from(`${txtRow(1, 9, [1, 2, 3])}\n`));
  t.equal(parser.generation(), generation);
});
