/** What tells the trainings of the YOLO family apart. */
export type FamilyFacts = {
  /** The names of the metrics of its rows; empty before the first row. */
  readonly columns: readonly string[];
  /** Whether its rows have a `time`. */
  readonly hasTime: boolean;
  /** The epoch of its first row. */
  readonly firstEpoch: number | null;
  /** Of `args.yaml`, or of `opt.yaml` and `hyp.yaml`; null when they cannot be read. */
  readonly args: Readonly<Record<string, unknown>> | null;
  readonly path: string;
};

export type RunFamily = {
  /**
   * Whose file this is, by its columns: `ultralytics` (8.3.9 and later), `ultralytics-padded` (before, from epoch 1),
   * `ultralytics-8.0` (from epoch 0, or begun in the middle), `rtdetr`, `yolov10-fork`, `yolov9`, `yolov5`,
   * `yolov5-seg` (v7's and v9's too), `yolov5-obb`, `yolov5-classify`, `results-txt` (YOLOv7, old YOLOv5),
   * `results-txt-face`, `results-txt-pose`.
   */
  readonly family: string | null;
  /** The trainer: `ultralytics`, `yolov5`, `yolov7`, `yolov9` or `yolov10`. */
  readonly framework: string | null;
  /** `detect`, `segment`, `pose`, `obb` or `classify`. */
  readonly task: string | null;
};

/**
 * Names the family of a run, for people. Nothing is parsed or judged by it: columns are known by their names. Unknown
 * is null. Source: the headers that the trainers write, and the options that only one of them has.
 */
export const runFamily = (facts: FamilyFacts): RunFamily => {
  const family = familyOf(facts);
  return { family, framework: frameworkOf(family, facts), task: taskOf(facts) };
};

const familyOf = ({ columns, hasTime, firstEpoch }: FamilyFacts): string | null => {
  const has = (name: string) => columns.includes(name);
  if (has('gpu_mem')) {
    if (has('train/kpt_loss')) return 'results-txt-pose';
    return has('train/landmark_loss') ? 'results-txt-face' : 'results-txt';
  }
  if (has('lr/0')) return 'yolov5-classify';
  if (has('x/lr0')) {
    if (has('train/theta_loss')) return 'yolov5-obb';
    if (has('train/seg_loss')) return 'yolov5-seg';
    return has('train/dfl_loss') ? 'yolov9' : 'yolov5';
  }
  if (has('train/box_om')) return 'yolov10-fork';
  if (has('train/giou_loss')) return 'rtdetr';
  if (!has('lr/pg0')) return null;
  if (hasTime) return 'ultralytics';
  return firstEpoch === 1 ? 'ultralytics-padded' : 'ultralytics-8.0';
};

const frameworkOf = (family: string | null, { args, path }: FamilyFacts): string | null => {
  if (family === 'yolov10-fork') return 'yolov10';
  if (family === 'rtdetr' || family?.startsWith('ultralytics')) return 'ultralytics';
  if (family === 'yolov9') return 'yolov9';
  if (family === 'results-txt-pose') return 'yolov7';
  if (family === 'yolov5-classify' || family === 'yolov5-obb' || family === 'results-txt-face') return 'yolov5';
  const option = (name: string) => args !== null && Object.hasOwn(args, name);
  if (option('task') && option('mode')) return 'ultralytics';
  if (option('min_items') || option('close_mosaic')) return 'yolov9';
  if (option('v5_metric') || option('loss_ota') || option('paste_in')) return 'yolov7';
  const named = YOLO_VERSION.exec([args?.weights, args?.cfg, path].join(' '))?.[0].toLowerCase();
  if (named !== undefined) return named;
  if (family === 'yolov5') return 'yolov5';
  // The other headers are not one trainer's alone: without arguments nobody knows.
  return family !== 'results-txt' && (option('weights') || option('hyp')) ? 'yolov5' : null;
};

/** The three trainers that write an `opt.yaml`. */
const YOLO_VERSION = /yolov[579](?!\d)/i;

const TASKS: readonly string[] = ['detect', 'segment', 'pose', 'obb', 'classify'];

/** What folders are called by default: `runs/segment/train` by Ultralytics, `runs/train-seg/exp` by YOLOv5. */
const TASK_OF_FOLDER: ReadonlyMap<string, string> = new Map([
  ['detect', 'detect'],
  ['segment', 'segment'],
  ['train-seg', 'segment'],
  ['pose', 'pose'],
  ['obb', 'obb'],
  ['classify', 'classify'],
  ['train-cls', 'classify'],
]);

/** Which columns no other task has. */
const TASK_OF_COLUMN: readonly (readonly [RegExp, string])[] = [
  [/^metrics\/accuracy_top1$/, 'classify'],
  [/^metrics\/.*\(M\)$/, 'segment'],
  [/^metrics\/.*\(P\)$|^train\/(pose|kpt)_loss$/, 'pose'],
  [/^train\/(theta|angle)_loss$/, 'obb'],
];

/** OBB before 8.4 has the columns of `detect`: there the folder's name is asked before they are believed. */
const taskOf = ({ args, columns, path }: FamilyFacts): string | null => {
  if (typeof args?.task === 'string' && TASKS.includes(args.task)) return args.task;
  for (const [pattern, task] of TASK_OF_COLUMN) if (columns.some((name) => pattern.test(name))) return task;
  const folders = path.split(/[/\\]/).reverse();
  const folder = folders.find((name) => TASK_OF_FOLDER.has(name));
  if (folder !== undefined) return TASK_OF_FOLDER.get(folder) ?? null;
  return columns.some((name) => name.startsWith('metrics/')) ? 'detect' : null;
};
