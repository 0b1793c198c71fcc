import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createConsoleParser } from '../../../src/collectors/console/parser.ts';
import { classRow, codesOf, epochOf, eventsOf, only, opening, valBar } from './lines.ts';

const FINAL = `
3 epochs completed in 0.189 hours.
Optimizer stripped from runs/detect/train/weights/best.pt, 5.5MB

Validating runs/detect/train/weights/best.pt...
Ultralytics 8.3.199 🚀 Python-3.11.13 torch-2.4.1+cu121 CUDA:0 (NVIDIA A100-PCIE-40GB, 40326MiB)
YOLO11n summary (fused): 100 layers, 2,582,347 parameters, 0 gradients, 6.3 GFLOPs
${valBar(4, 4)}
`;
const TABLE =
  classRow('all', 90, 131, 0.912, 0.905, 0.94, 0.599) + classRow('traffic light', 40, 52, 0.979, 0.896, 'nan', 0.588);
const GOODBYE = 'Speed: 0.1ms preprocess, 0.9ms inference\nResults saved to \x1b[1mruns/detect/train\x1b[0m\n';

t.test('a training is introduced once, by all that stands above its first epoch', async (t) => {
  const log = opening() + [1, 2, 3].map((epoch) => epochOf(epoch)).join('') + FINAL + TABLE + GOODBYE;
  t.same(only('start', eventsOf(log)), [
    {
      t: null,
      kind: 'start',
      framework: 'ultralytics 8.3.199',
      task: 'detect',
      model: 'yolo11n.pt',
      epochs: 3,
      batchSize: 16,
      parameters: 2_590_620,
      images: 700,
    },
  ]);
});

t.test('every trainer introduces itself in its own words', async (t) => {
  const frameworkOf = (header: string) =>
    only('start', eventsOf(`${header}\nStarting training for 3 epochs...\n`))[0]?.framework;
  t.equal(frameworkOf('Ultralytics YOLOv8.0.117 🚀 Python-3.9.16 torch-2.0.1+cu117 CPU'), 'ultralytics 8.0.117');
  t.equal(frameworkOf('Ultralytics 8.4.11  Python-3.12.3 torch-2.5.1+cu121 CUDA:0 (x)'), 'ultralytics 8.4.11');
  t.equal(frameworkOf('YOLOv5 🚀 v7.0-72-g064365d Python-3.8.10 torch-1.11.0+cu113 CPU'), 'yolov5 v7.0-72-g064365d');
  t.equal(frameworkOf('YOLOR 🚀 v0.1-128-ga207844 torch 1.13.0+cu116 CUDA:0'), 'yolov7 v0.1-128-ga207844');
  t.equal(frameworkOf('Ultralytics is great, says Python'), undefined);
});

t.test('YOLOv5 says its plan in its own arguments, and images by those it found', async (t) => {
  const log = [
    '\x1b[34m\x1b[1mtrain: \x1b[0mweights=yolov5s.pt, cfg=, data=data.yaml, epochs=300, batch_size=64, imgsz=640',
    'YOLOv5 🚀 v7.0-72-g064365d Python-3.8.10 torch-1.11.0+cu113 CUDA:0 (A, 1MiB)',
    'Model summary: 214 layers, 7027720 parameters, 7027720 gradients, 16.0 GFLOPs',
    `train: Scanning '/data/labels.cache' images and labels... 128 found, 0 missing, 2 empty, 0 corrupt: 100%|${'█'.repeat(10)}| 128/128 [00:00<?, ?it/s]`,
    'Starting training for 300 epochs...',
    '',
  ].join('\n');
  t.match(only('start', eventsOf(log)), [
    {
      framework: 'yolov5 v7.0-72-g064365d',
      model: 'yolov5s.pt',
      epochs: 300,
      batchSize: 64,
      parameters: 7_027_720,
      images: 128,
    },
  ]);
});

t.test('the last table is of the best checkpoint: each class with its metrics, names with their spaces', async (t) => {
  const [classes, ...more] = only('classes', eventsOf(opening() + epochOf(1) + FINAL + TABLE + GOODBYE));
  t.same(more, []);
  t.same(classes, {
    t: null,
    kind: 'classes',
    epoch: null,
    final: true,
    images: { 'traffic light': 40 },
    instances: { 'traffic light': 52 },
    precision: { 'traffic light': 0.979 },
    recall: { 'traffic light': 0.896 },
    mAP50: { 'traffic light': 'nan' },
    'mAP50-95': { 'traffic light': 0.588 },
  });
});

t.test('masks and poses have metrics of their own', async (t) => {
  for (const [head, letter] of [
    ['Mask(P', 'M'],
    ['Pose(P', 'P'],
  ]) {
    const bar = valBar(4, 4).replace('mAP50-95)', `mAP50-95)     ${head}          R      mAP50  mAP50-95)`);
    const log = `${opening()}${epochOf(1)}${bar}\n${classRow('all', 9, 9, 0, 0, 0, 0, 0, 0, 0, 0)}${classRow('hand', 9, 9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)}${GOODBYE}`;
    t.match(only('classes', eventsOf(log)), [
      {
        epoch: 1,
        'mAP50-95': { hand: 0.4 },
        [`precision(${letter})`]: { hand: 0.5 },
        [`mAP50-95(${letter})`]: { hand: 0.8 },
      },
    ]);
  }
});

t.test('a class named __proto__ harms nobody', async (t) => {
  const [classes] = only(
    'classes',
    eventsOf(`${valBar(4, 4)}\n${TABLE}${classRow('__proto__', 1, 2, 0, 0, 0, 0)}${GOODBYE}`),
  );
  t.same(Object.keys(classes?.mAP50 ?? {}), ['traffic light']);
});

t.test('the lines of a tail are all but redraws and empty ones', async (t) => {
  const lines = only('log', eventsOf(opening() + epochOf(1) + FINAL + TABLE + GOODBYE)).map(({ line }) => line);
  t.ok(lines.includes('Logging results to runs/detect/train'), 'without colours');
  t.ok(lines.includes('Speed: 0.1ms preprocess, 0.9ms inference'));
  t.ok(lines.some((line) => line.includes('traffic light')));
  t.equal(lines.filter((line) => line.includes('Epoch    GPU_mem')).length, 1);
  t.notOk(lines.some((line) => line.trim() === '' || line.includes('\x1b')));
});

t.test('a line has a code when its meaning is known', async (t) => {
  const log = [
    'Resuming training runs/detect/train/weights/last.pt from epoch 60 to 100 total epochs',
    'WARNING ⚠️ CUDA out of memory with batch=16. Reducing to batch=8 and retrying (1/3).',
    'WARNING ⚠️ Loss NaN/Inf detected (attempt 1/3), recovering from last.pt...',
    'WARNING imgsz=[712] must be multiple of max stride 32, updating to [736]',
    'Closing dataloader mosaic',
    'ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).',
    'Plotting labels to runs/detect/train/labels.jpg... ',
    '',
  ].join('\n');
  t.same(codesOf(log), ['resumed', 'batch_halved', 'nan_recovery', 'warning', 'mosaic_closed', 'shared_memory_full']);
  t.same(only('end', eventsOf(log)), [], 'none of them ends the training');
});

t.test('a second training in the same log is introduced too, its final validation is none', async (t) => {
  const one = (epochs: number) => opening({ epochs }) + epochOf(1) + FINAL + TABLE + GOODBYE;
  const events = eventsOf(one(3) + one(5));
  t.same(
    only('start', events).map(({ epochs }) => epochs),
    [3, 5],
  );
  t.equal(only('end', events).length, 2);
});

t.test('a training that only its failure is known of is introduced before it ends', async (t) => {
  const log = `${opening().split('Starting')[0]}FileNotFoundError: 'data.yaml' does not exist\n`;
  t.same(
    eventsOf(log).flatMap(({ kind }) => (kind === 'log' ? [] : kind)),
    ['start', 'end'],
  );
});

t.test('the logs of the railway campaign end as its report says', async (t) => {
  const folder = 'test/fixtures/railway/runs/detect';
  const endOf = (run: string) => {
    const parser = createConsoleParser();
    const items = [...parser.push(readFileSync(join(folder, run, 'train.log'))), ...parser.rest()];
    return items.findLast(({ event }) => event.kind === 'end')?.event;
  };
  t.match(endOf('yolo11n_20250909_141751'), {
    reason: 'early_stopped',
    said: /last 15 epochs[\s\S]*95 epochs completed/,
  });
  t.match(endOf('yolo11n_railway'), { reason: 'finished', said: '100 epochs completed in 6.800 hours.' });
  t.match(endOf('yolo11s_railway'), { reason: 'finished' });
  t.match(endOf('yolo11n_20250909_141815'), { reason: 'exception', code: 'dataloader_worker_died' });
  t.match(endOf('yolov11s_railway2'), { reason: 'exception', code: 'dataset_missing' });
  t.match(endOf('yolov11s_railway3'), { reason: 'exception', code: 'cuda_out_of_memory' });
  t.match(endOf('yolov11s_railway4'), { reason: 'exception', code: 'error_in_log' });
  t.match(endOf('yolov11s_railway6'), { reason: 'interrupted', code: 'interrupted' });
});
