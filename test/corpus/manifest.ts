import { linesOf } from './recordings.ts';

/** What people wrote down of one recorded result file. */
export type Recorded = {
  readonly file: string;
  /** The first three digits of its name, by which people speak of it. */
  readonly number: string;
  /** Where it lay in the repository that it comes from. */
  readonly path: string;
  /** `FAMILY FRAMEWORK TASK`, in our words. */
  readonly kind: string;
  readonly epochBase: 0 | 1;
  readonly rows: number;
  /** Lines that are no rows. */
  readonly keptOut: number;
  readonly hasTime: boolean;
  /** Counted from 1; each data row at which another training begins. */
  readonly restarts: readonly number[];
  /** `STATE REASON`; null: the notes do not say it. */
  readonly ending: string | null;
  /** The data row, counted from 1, after which EarlyStopping saw no better one; null: the notes name none. */
  readonly bestRow: number | null;
  readonly notes: string;
  /** What a person flagged in it, or would not: the kinds of labels.tsv, such as `run_restart`. */
  readonly labels: readonly string[];
};

/** The table that people made of the recordings. */
export const readManifest = (): readonly Recorded[] => {
  const labels = linesOf('labels.tsv');
  return linesOf('manifest.tsv').map(
    ([file = '', , path = '', , family = '', task = '', count = '', time, notes = '']): Recorded => ({
      file,
      number: file.slice(0, 3),
      path,
      kind: `${FAMILIES.find(([pattern]) => pattern.test(family))?.[1]} ${task}`,
      epochBase: /yolov[579]|results\.txt|8\.0\.x/.test(family) ? 0 : 1,
      ...rowsIn(Number(count), notes),
      hasTime: time === 'yes',
      restarts: [...notes.matchAll(/EPOCH RESTART at data row (\d+)/g)].map(([, row]) => Number(row)),
      ending: ENDINGS.find(([pattern]) => pattern.test(notes))?.[1] ?? null,
      bestRow: numberIn(/best at data row (\d+)/, notes),
      notes,
      labels: labels.flatMap(([of, , anomaly = '']) => (of === file ? anomaly : [])),
    }),
  );
};

/** What the manifest calls the families that we have a shorter name for. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/yolov10 fork/, 'yolov10-fork yolov10'],
  [/RT-DETR/, 'rtdetr ultralytics'],
  [/8\.0\.x padded/, 'ultralytics-8.0 ultralytics'],
  [/padded 1-based/, 'ultralytics-padded ultralytics'],
  [/unpadded\+time/, 'ultralytics ultralytics'],
  [/17 fields/, 'results-txt-pose yolov7'],
  [/15 fields/, 'results-txt yolov7'],
  [/yolov9 csv/, 'yolov9 yolov9'],
  [/yolov9-seg/, 'yolov5-seg yolov9'],
  [/yolov7-seg/, 'yolov5-seg yolov7'],
  [/yolov5-seg/, 'yolov5-seg yolov5'],
  [/yolov5_obb/, 'yolov5-obb yolov5'],
  [/yolov5 classify/, 'yolov5-classify yolov5'],
  [/yolov5 csv/, 'yolov5 yolov5'],
];

const ENDINGS: readonly (readonly [RegExp, string])[] = [
  [/finished all epochs|; finished;/, 'finished all_epochs_done'],
  [/early-stopped/, 'early_stopped patience'],
  [/ended by time= budget/, 'finished time_budget'],
  [/stopped short/, 'stopped no_new_epoch'],
];

/** `count` counts ragged lines and lines of NUL bytes too, and says of them what they are. */
const rowsIn = (count: number, notes: string): Pick<Recorded, 'rows' | 'keptOut'> => {
  const columns = numberIn(/RAGGED: header (\d+) cols/, notes);
  const rows = columns === null ? count : (numberIn(new RegExp(`\\b${columns}: (\\d+)`), notes) ?? 0);
  return { rows, keptOut: count - rows + (/NUL bytes/.test(notes) ? 1 : 0) };
};

const numberIn = (pattern: RegExp, text: string): number | null => {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};
