/** What a run's arguments are in: `args.yaml` by Ultralytics, `opt.yaml` by YOLOv5, v7 and v9. */
export const ARGS_FILES = ['args.yaml', 'opt.yaml'] as const;

/** What `opt.yaml` leaves out: the learning rate and the like. */
export const HYP_FILE = 'hyp.yaml';

/** What a run's epochs are in: one row an epoch. `results.txt` is YOLOv7's and old YOLOv5's. */
export const RESULT_FILES = ['results.csv', 'results.txt'] as const;
export type ResultFile = (typeof RESULT_FILES)[number];

/** A folder that holds one of these is a run folder. */
export const RUN_FILES: readonly string[] = [...ARGS_FILES, ...RESULT_FILES];

/** Folders that hold no run folders but may hold very much: checkpoints, data sets in the YOLO layout, packages. */
const LEAVE_OUT = new Set(['weights', 'images', 'labels', 'node_modules', 'site-packages', '__pycache__']);

/** What the files of data sets and checkpoints are called; a name alone tells them from folders, without a stat. */
const NOT_A_FOLDER = /\.(jpe?g|png|bmp|tiff?|webp|gif|npy|npz|cache|pt|pth|onnx|engine|txt|csv|ya?ml|json|log|zip)$/i;

/** Whether run folders are searched for in an entry with this name, if it is a folder. */
export const isRunTreeFolder = (name: string): boolean =>
  !name.startsWith('.') && !LEAVE_OUT.has(name) && !NOT_A_FOLDER.test(name);

const TRAINING_FILE =
  /^(args|opt|hyp)\.yaml$|^results\.(csv|txt|png)$|\.(log|txt)$|^signalbox\.ndjson$|^events\.out\.tfevents\./;

/** Whether a file of this name in a run folder shows, by its mtime, that the training is at work. */
export const isWrittenByTraining = (name: string): boolean => TRAINING_FILE.test(name);
