import type { NonFinite } from '../../core/run.ts';
import type { StepEvent } from '../../core/trace.ts';

/** A redraw of a training bar that has a count, in the numbers of the result file. */
export type TrainRedraw = {
  readonly epoch: number;
  readonly done: number;
  readonly total: number;
  readonly stepS: number | null;
  readonly reservedMib: number | null;
  /** As shown: the losses, then instances and image size. */
  readonly values: readonly string[];
};

/** Makes steps of the redraws of training bars. */
export type Steps = {
  /** The names of the losses, from the header above the bars. */
  readonly name: (header: readonly string[]) => void;
  /** null: too soon after the last one. */
  readonly take: (redraw: TrainRedraw) => StepEvent | null;
  /** The count from which on a redraw is kept, in the epoch that was taken last. */
  readonly nextKept: () => number;
};

/** The share of an epoch's batches that one step stands for, at least one batch. */
const THIN = 0.02;

/**
 * The bar shows the mean of the losses since the epoch began. The loss of the batches since the last kept redraw is
 * (n·mₙ − k·mₖ)/(n − k). Means come with four significant digits, so near the end of an epoch, where n is fifty times
 * n − k, that loss is good to about two; and the bar's count may be one behind its mean, which matters as little as
 * the mean moves.
 */
export const createSteps = (): Steps => {
  let names: readonly string[] | null = null;
  let epoch = -1;
  let seen = 0;
  let kept = { done: 0, means: [] as readonly number[] };
  let next = 1;

  return {
    name: (header) => {
      names = header;
    },
    nextKept: () => next,
    take: ({ epoch: at, done, total, stepS, reservedMib, values }) => {
      if (at !== epoch || done < seen) kept = { done: 0, means: [] };
      epoch = at;
      seen = done;
      next = nextAfter(kept.done, total);
      if (done < next) return null;
      const over = done - kept.done;
      const loss = names === null ? null : lossesOf(names, values, done, kept);
      kept = { done, means: values.map(Number) };
      next = nextAfter(done, total);
      return {
        t: null,
        kind: 'batch',
        epoch: at,
        batch: done,
        batches: total,
        ...(loss !== null && { loss, lossOver: over }),
        ...(stepS !== null && { stepS: rounded(stepS) }),
        ...(reservedMib !== null && { reservedMib }),
      };
    },
  };
};

const nextAfter = (done: number, total: number): number =>
  done >= total ? Number.POSITIVE_INFINITY : Math.min(total, done + Math.max(1, Math.ceil(total * THIN)));

/** Instances (or labels) and the image size stand behind the losses. */
const OTHER_COLUMNS = 2;
/** Old YOLOv5 and YOLOv7 write `box` where their result file has `box_loss`, and the sum of all as `total`. */
const SHORT_NAMES = new Set(['box', 'obj', 'cls', 'landmark', 'kpt', 'kptv']);
const SUM = 'total';
const MAX_LOSSES = 64;
const MAX_NAME = 256;

/** The names of the losses in a header line such as `Epoch GPU_mem box_loss cls_loss Instances Size`; null: it is none. */
export const parseBarHeader = (line: string): readonly string[] | null => {
  const cells = line.trim().split(/\s+/);
  if (cells[0] !== 'Epoch' || cells[1]?.toLowerCase() !== 'gpu_mem') return null;
  const names = cells.slice(2, -OTHER_COLUMNS);
  if (names.length > MAX_LOSSES || names.some((name) => name.length > MAX_NAME)) return null;
  return names.map((name) => (SHORT_NAMES.has(name) ? `${name}_loss` : name));
};

const lossesOf = (
  names: readonly string[],
  values: readonly string[],
  done: number,
  kept: { readonly done: number; readonly means: readonly number[] },
): Record<string, number | NonFinite> | null => {
  if (values.length !== names.length + OTHER_COLUMNS) return null;
  const losses: [string, number | NonFinite][] = [];
  for (const [column, name] of names.entries()) {
    const value = lossOf(values[column] ?? '', done, kept.done, kept.means[column] ?? 0);
    if (value !== null && name !== SUM && name !== '__proto__') losses.push([name, value]);
  }
  return losses.length === 0 ? null : Object.fromEntries(losses);
};

const lossOf = (shown: string, done: number, before: number, meanBefore: number): number | NonFinite | null => {
  if (shown === 'nan' || shown === 'inf' || shown === '-inf') return shown;
  const mean = Number(shown);
  if (!Number.isFinite(mean)) return null;
  if (before === 0 || !Number.isFinite(meanBefore)) return mean;
  return rounded((done * mean - before * meanBefore) / (done - before));
};

const rounded = (value: number): number => Number(value.toPrecision(6));
