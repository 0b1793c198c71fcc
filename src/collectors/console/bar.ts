/** A progress bar in one of its states. */
export type Bar = {
  /** Of one epoch's training, of a validation, or of something else (a scan of labels, a download). */
  readonly of: TrainColumns | 'validation' | 'other';
  /** What stands before the meter; all of the text when that is cut away. */
  readonly label: string;
  /** null where a narrow terminal cut the line. */
  readonly done: number | null;
  readonly total: number | null;
  readonly percent: number | null;
  /** Seconds a batch; null when the bar shows no rate. */
  readonly stepS: number | null;
  /** What another writer put behind the bar on the same line, such as a warning; empty when nothing. */
  readonly glued: string;
};

/** The columns in front of a training bar, as the console counts and writes them. */
export type TrainColumns = {
  readonly epoch: number;
  readonly epochs: number;
  /** GPU_mem without its `G`. */
  readonly memory: number;
  /** Losses, then instances and image size. */
  readonly values: readonly string[];
};

/**
 * Reads a bar of tqdm (`desc: 37%|███▋  | 49/132 [00:19<00:33, 2.51it/s]`; YOLOv5, Ultralytics to 8.3.185) or of
 * Ultralytics' own (`desc: 37% ━━━━─── 49/132 2.5it/s 19.5s<33.1s`); null for every other line. Leftovers of a longer
 * line that was drawn over (`1:360.3ss`) are passed over.
 */
export const parseBar = (text: string): Bar | null => {
  const meter = readMeter(text);
  const train = readTrainColumns(text);
  const isValidation = VALIDATION.test(text);
  if (meter === null && train === null && !isValidation) return null;
  const behind = meter === null ? text.slice(text.indexOf(':') + 1 || text.length) : text.slice(meter.to);
  return {
    of: train ?? (isValidation ? 'validation' : 'other'),
    label: text.slice(0, meter?.from).trim(),
    done: meter?.done ?? null,
    total: meter?.total ?? null,
    percent: meter?.percent ?? null,
    stepS: meter?.stepS ?? null,
    glued: GLUED.exec(behind)?.[0] ?? '',
  };
};

const VALIDATION = /^\s*(?:Class\s+Images|classes\s+top1_acc)\s/;

/** Four letters in a row are words; rates and times have fewer. */
const GLUED = /[[(^]*[A-Za-z_]{4}.*$/s;

const WORD = /[A-Za-z_]{4}/;

/** Whether something may be written behind a bar: `behind` is what follows its count. */
export const mayBeGlued = (behind: string): boolean => WORD.test(behind);

type Meter = Pick<Bar, 'percent' | 'done' | 'total' | 'stepS'> & { readonly from: number; readonly to: number };

const PERCENT = /(\d{1,3})%(?=\|| [━╸╺─])/;
const TQDM = /\d{1,3}%\|[^|]*\|(?: *(\d{1,12})\/(\d{1,12}) \[([^\]]*)\])?/y;
const OWN =
  /\d{1,3}% [━╸╺─]+(?: (\d{1,12})\/(\d{1,12})( +[\d.]+[KM]?(?:it\/s|s\/it))?(?: +[\d.:]+s?(?:<[\d.:]+s?)?)?)?/y;
const RATE = /([\d.]+)([KM]?)(it\/s|s\/it)/;
/** 30 years: a rate of 0.00it/s says nothing. */
const MAX_SECONDS = 1e9;
const FACTORS: Readonly<Record<string, number>> = { K: 1e3, M: 1e6 };

const readMeter = (text: string): Meter | null => {
  const percent = PERCENT.exec(text);
  if (percent === null) return null;
  const from = percent.index;
  const found = matchAt(TQDM, text, from) ?? matchAt(OWN, text, from);
  const [whole = percent[0], done, total, rate] = found ?? [];
  return {
    from,
    to: from + whole.length,
    percent: Number(percent[1]),
    done: done === undefined ? null : Number(done),
    total: total === undefined ? null : Number(total),
    stepS: rate === undefined ? null : secondsOf(rate),
  };
};

const matchAt = (sticky: RegExp, text: string, at: number): RegExpExecArray | null => {
  sticky.lastIndex = at;
  return sticky.exec(text);
};

const secondsOf = (rate: string): number | null => {
  const [, digits, factor = '', unit] = RATE.exec(rate) ?? [];
  const value = Number(digits) * (FACTORS[factor] ?? 1);
  const seconds = unit === 's/it' ? value : 1 / value;
  return seconds > 0 && seconds < MAX_SECONDS ? seconds : null;
};

const TRAIN = /^\s*(\d{1,9})\/(\d{1,9})\s+([\d.]{1,12})G\s+([^:]{1,400})(?::|$)/;

const readTrainColumns = (text: string): TrainColumns | null => {
  const [, epoch, epochs, memory, values] = TRAIN.exec(text) ?? [];
  if (values === undefined) return null;
  return {
    epoch: Number(epoch),
    epochs: Number(epochs),
    memory: Number(memory),
    values: values.trim().split(/\s+/),
  };
};
