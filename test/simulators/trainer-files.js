/**
 * The texts that a training by Ultralytics 8.3.199 writes (args.yaml, results.csv, console), from a compiled plan.
 * Shapes as in the library's `save_metrics` (`%.6g`, values rounded to 5 decimals) and its progress bar since 8.3.186.
 *
 * @typedef {import('./scenario.js').Training} Training
 */

export const IMAGES = 11_705;
const BATCHES = 732;

/** @param {Training} training @param {string} project @returns {Record<string, unknown>} */
export const argsOf = ({ plan }, project) => ({
  task: 'detect',
  mode: 'train',
  model: 'yolo11n.pt',
  data: 'railway.yaml',
  epochs: plan.epochs,
  time: null,
  patience: 100,
  batch: 16,
  imgsz: 640,
  save: true,
  device: plan.gpu ?? 0,
  workers: 8,
  project,
  name: plan.name,
  exist_ok: false,
  pretrained: true,
  optimizer: 'SGD',
  seed: plan.seed,
  deterministic: true,
  amp: true,
  cos_lr: true,
  close_mosaic: 10,
  resume: false,
  lr0: 0.01,
  lrf: 0.01,
  momentum: 0.937,
  weight_decay: 0.0005,
  warmup_epochs: 3.0,
  mosaic: 1.0,
  fliplr: 0.5,
  ...plan.args,
  save_dir: `${project}/${plan.name}`,
});

/** @param {Record<string, unknown>} args */
export const yamlOf = (args) =>
  Object.entries(args)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

/** The header too where it is the first row: one write for both, as the library does. @param {Training} training @param {number} epoch @param {number} elapsedS */
export const csvOf = (training, epoch, elapsedS) => {
  const row = training.rowOf(epoch);
  const header = epoch === 1 ? `${['epoch', 'time', ...Object.keys(row)].join(',')}\n` : '';
  const rounded = Object.values(row).map((value) => Math.round(value * 1e5) / 1e5);
  return `${header}${[epoch, elapsedS, ...rounded].map(general).join(',')}\n`;
};

/** C's `%.6g`. @param {number} value */
const general = (value) => {
  if (Number.isNaN(value)) return 'nan';
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent < -4 || exponent >= 6) {
    return value
      .toExponential(5)
      .replace(/\.?0+e/, 'e')
      .replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const fixed = value.toPrecision(6);
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
};

/** @param {Training} training @param {string} folder @param {import('./scenario.js').GpuPlan} gpu */
export const consoleHead = ({ plan }, folder, gpu) =>
  `Ultralytics 8.3.199 🚀 Python-3.11.13 torch-2.4.1+cu121 CUDA:${plan.gpu ?? 0} (${gpu.name}, ${gpu.memoryMib - 634}MiB)
YOLO11n summary: 181 layers, 2,590,620 parameters, 2,590,620 gradients, 6.4 GFLOPs
train: Scanning /data/railway/labels/train.cache... ${IMAGES} images, 0 backgrounds, 0 corrupt: 100% ━━━━━━━━━━━━ ${IMAGES}/${IMAGES} 0.0s
Plotting labels to ${folder}/labels.jpg... 
Image sizes 640 train, 640 val
Using 8 dataloader workers
Logging results to ${folder}
Starting training for ${plan.epochs} epochs...
`;

/** @param {Training} training @param {number} epoch */
export const epochHead = ({ plan }, epoch) =>
  `${plan.epochs - epoch + 1 === 10 ? 'Closing dataloader mosaic\n' : ''}
      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
`;

/** One redraw of the bar of an epoch. @param {Training} training @param {number} epoch @param {number} share done @param {number} memoryMib @param {number} spentS */
export const barOf = (training, epoch, share, memoryMib, spentS) => {
  const row = training.rowOf(epoch);
  const losses = ['train/box_loss', 'train/cls_loss', 'train/dfl_loss'].map((name) => Number(row[name]));
  const done = Math.round(BATCHES * share);
  const cells = [
    `${epoch}/${training.plan.epochs}`,
    `${(memoryMib / 1024).toFixed(1)}G`,
    ...losses.map(shortOf),
    '43',
    '640',
  ];
  const filled = Math.round(12 * share);
  const bar = '━'.repeat(filled) + '─'.repeat(12 - filled);
  const rate = `${(done / Math.max(1, spentS)).toFixed(1)}it/s`;
  return `\r\x1b[K${cells.map((cell) => cell.padStart(11)).join('')}: ${Math.round(100 * share)}% ${bar} ${done}/${BATCHES} ${rate} ${durationOf(spentS)}${share === 1 ? '\n' : ''}`;
};

/** @param {Training} training @param {number} epoch @param {number} spentS */
export const validationOf = (training, epoch, spentS) => {
  const row = training.rowOf(epoch);
  const metrics = ['precision(B)', 'recall(B)', 'mAP50(B)', 'mAP50-95(B)'].map((name) =>
    Number(row[`metrics/${name}`]),
  );
  const cells = ['all', '1300', '1300', ...metrics.map((value) => value.toPrecision(3))];
  return `\r\x1b[K                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100% ━━━━━━━━━━━━ 41/41 6.1it/s ${durationOf(spentS)}
${cells.map((cell, at) => cell.padStart(at === 0 ? 22 : 11)).join('')}
`;
};

/** @param {Training} training @param {string} folder */
export const consoleEnd = (training, folder) => `
${training.laps.length} epochs completed in ${(training.endS / 3600).toFixed(3)} hours.
Optimizer stripped from ${folder}/weights/last.pt, 5.5MB
Optimizer stripped from ${folder}/weights/best.pt, 5.5MB

Validating ${folder}/weights/best.pt...
Speed: 0.1ms preprocess, 0.9ms inference, 0.0ms loss, 0.6ms postprocess per image
Results saved to ${folder}
`;

/** @param {import('./scenario.js').GpuPlan} gpu */
export const outOfMemory = (gpu) => {
  const total = (gpu.memoryMib / 1024).toFixed(2);
  return `
Traceback (most recent call last):
  File "/opt/venv/bin/yolo", line 8, in <module>
    sys.exit(entrypoint())
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.45 GiB. GPU 0 has a total capacity of ${total} GiB of which 312.62 MiB is free. Including non-PyTorch memory, this process has ${total} GiB memory in use.
`;
};

export const INTERRUPTED = `
Traceback (most recent call last):
  File "/opt/venv/bin/yolo", line 8, in <module>
    sys.exit(entrypoint())
KeyboardInterrupt
`;

/** C's `%.4g` for the size of a loss. @param {number} value */
const shortOf = (value) => (Number.isNaN(value) ? 'nan' : String(Number(value.toPrecision(4))));

/** @param {number} seconds */
const durationOf = (seconds) =>
  seconds < 60
    ? `${seconds.toFixed(1)}s`
    : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
