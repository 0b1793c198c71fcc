import { type ReadRow, readCells } from './row.ts';

/**
 * Reads a row of `results.txt`, which has no header: YOLOv7 and YOLOv5 before v6 write what their console said of the
 * epoch (`epoch/last gpu_mem box obj cls … total labels img_size`) and seven results of its validation. yolov5-face
 * adds a landmark loss, yolov7-pose two of key points.
 *
 * What YOLOv5's csv names has the same name here. The rest keeps the console's: `gpu_mem` (10^9 bytes), `total` (the
 * sum of the losses, and not under `train/`, where it would be summed with its own parts), `labels` (of the last
 * batch), `img_size` (pixels). Source: WongKinYiu/yolov7 train.py, `s` and `results_file`.
 */
export const readTxtRow: ReadRow = (line) => {
  const [progress = '', memory = '', ...rest] = line.trim().split(/\s+/);
  const epoch = EPOCH_OF_LAST.exec(progress)?.[1];
  const gpuMem = GPU_MEM.exec(memory)?.[1];
  const columns = COLUMNS.get(rest.length + 2);
  if (epoch === undefined || gpuMem === undefined || columns === undefined) return null;
  return readCells(columns, [epoch, gpuMem, ...rest]);
};

/** How many epochs a row of `results.txt` says that the training was to have: `0/299` is the first of 300. */
export const epochsPlannedBy = (line: string): number | null => {
  const last = EPOCH_OF_LAST.exec(line.trim().split(/\s/, 1)[0] ?? '')?.[2];
  return last === undefined ? null : Number(last) + 1;
};

const EPOCH_OF_LAST = /^(\d{1,9})\/(\d{1,9})$/;
const GPU_MEM = /^([\d.e+]+)G$/;

const columnsWith = (...ownLosses: readonly string[]): readonly string[] => [
  'epoch',
  'gpu_mem',
  'train/box_loss',
  'train/obj_loss',
  'train/cls_loss',
  ...ownLosses,
  'total',
  'labels',
  'img_size',
  'metrics/precision',
  'metrics/recall',
  'metrics/mAP_0.5',
  'metrics/mAP_0.5:0.95',
  'val/box_loss',
  'val/obj_loss',
  'val/cls_loss',
];

/** The columns by the number of fields, since nothing else tells them: 15, 16 and 17. */
const COLUMNS = new Map(
  [columnsWith(), columnsWith('train/landmark_loss'), columnsWith('train/kpt_loss', 'train/kptv_loss')].map(
    (columns) => [columns.length, columns],
  ),
);
