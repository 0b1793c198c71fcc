import type { EpochRow } from '../core/run.ts';
import { sum } from '../core/statistics.ts';

/** Values of a row by column name. */
export type Parts = Readonly<Record<string, number>>;

/**
 * The components of the training loss by their full column names (`train/box_loss`).
 * null: there is none, or one of them is not finite or was not written, so that they do not add up to a total.
 */
export const trainParts = (row: EpochRow): Parts | null => parts(row, 'train/');

/** The sum of the training losses; null where it is unknown or not above 0 (a row without targets, a log of its own kind). */
export const trainTotal = (row: EpochRow): number | null => total(trainParts(row));

/** The sum of the validation losses; null where it is unknown or not above 0 (validation switched off). */
export const valTotal = (row: EpochRow): number | null => total(parts(row, 'val/'));

/** mAP at IoU 0.5 of the first head, top-1 accuracy for a classifier; 0 to 1, null where the row has neither. */
export const accuracy = (row: EpochRow): number | null => {
  const names = Object.keys(row.metrics);
  const name = names.find((name) => MAP_50.test(name)) ?? names.find((name) => name === 'metrics/accuracy_top1');
  return name === undefined ? null : (row.metrics[name] ?? null);
};

/** mAP at IoU 0.5 to 0.95 of the first head, top-1 accuracy for a classifier; 0 to 1, null where the row has neither. */
export const strictAccuracy = (row: EpochRow): number | null => {
  const names = Object.keys(row.metrics);
  const name = names.find((name) => MAP_50_95.test(name)) ?? names.find((name) => name === 'metrics/accuracy_top1');
  return name === undefined ? null : (row.metrics[name] ?? null);
};

/** The learning rate of the first parameter group; null where the row does not say. */
export const learningRate = (row: EpochRow): number | null => learningRates(row)[0] ?? null;

/** The learning rates of all parameter groups that the row tells. */
export const learningRates = (row: EpochRow): readonly number[] =>
  Object.entries(row.metrics).flatMap(([name, value]) =>
    value !== null && (name.startsWith('lr/') || name.startsWith('x/lr')) ? value : [],
  );

/** `metrics/mAP50(B)` and `metrics/mAP_0.5`, but not `mAP50-95` and `mAP_0.5:0.95`. */
const MAP_50 = /^metrics\/mAP(?:50|_0\.5)(?![-:])/;

/** `metrics/mAP50-95(B)` and `metrics/mAP_0.5:0.95`. */
const MAP_50_95 = /^metrics\/mAP(?:50-95|_0\.5:0\.95)/;

const parts = (row: EpochRow, prefix: string): Parts | null => {
  const found: Record<string, number> = {};
  for (const [name, value] of Object.entries(row.metrics)) {
    if (!name.startsWith(prefix)) continue;
    if (value === null) return null;
    found[name] = value;
  }
  return Object.keys(found).length === 0 ? null : found;
};

const total = (parts: Parts | null): number | null => {
  const value = parts === null ? 0 : sum(Object.values(parts));
  return value > 0 ? value : null;
};
