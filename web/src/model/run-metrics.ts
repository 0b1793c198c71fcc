import type { EpochRow, NonFinite } from '../../../src/core/run.ts';

/** The trainer's columns that belong into one chart. */
export type ColumnGroup = {
  readonly kind: 'loss' | 'quality' | 'lr' | 'other';
  /** What the columns have in common: `box_loss`, `mAP`; empty for the learning rate. */
  readonly name: string;
  readonly columns: readonly string[];
};

/**
 * Which columns are looked at together: each loss in training and validation, the mAPs, the other metrics by mask,
 * box or pose `(B)`, the learning rates of all parameter groups. In the order in which a person reads them.
 */
export const groupColumns = (columns: readonly string[]): readonly ColumnGroup[] => {
  const groups = new Map<string, ColumnGroup>();
  for (const column of columns) {
    const { kind, name } = placeOf(column);
    const key = `${kind} ${name}`;
    groups.set(key, { kind, name, columns: [...(groups.get(key)?.columns ?? []), column] });
  }
  const rank = ({ kind, name }: ColumnGroup) => KINDS.indexOf(kind) + (name.startsWith('mAP') ? 0 : 0.5);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
};

const KINDS: readonly ColumnGroup['kind'][] = ['loss', 'quality', 'lr', 'other'];

const placeOf = (column: string): Omit<ColumnGroup, 'columns'> => {
  const [prefix = '', ...rest] = column.split('/');
  const name = rest.join('/');
  if (prefix === 'train' || prefix === 'val') return { kind: 'loss', name };
  if (prefix === 'lr') return { kind: 'lr', name: '' };
  if (prefix !== 'metrics') return { kind: 'other', name: column };
  const head = /\([A-Z]\)$/.exec(name)?.[0] ?? '';
  if (name.startsWith('mAP')) return { kind: 'quality', name: `mAP ${head}`.trim() };
  return { kind: 'quality', name: `${/^accuracy/.test(name) ? 'accuracy' : 'precision and recall'} ${head}`.trim() };
};

/** Every column that occurs, in the order of the file. */
export const columnsOf = (rows: readonly EpochRow[]): readonly string[] => [
  ...new Set(rows.flatMap((row) => Object.keys(row.metrics))),
];

type Metrics = EpochRow['metrics'];

/** The first metric of a row that judges the model by IoU 0.50 (`mAP50`) or 0.50 to 0.95; null where there is none. */
export const mAP = (metrics: Metrics | undefined, iou: '50' | '50-95'): number | null => {
  const column = Object.keys(metrics ?? {}).find((name) => name.replace(/\([A-Z]\)$/, '') === `metrics/mAP${iou}`);
  return column === undefined ? null : (metrics?.[column] ?? null);
};

/** The sum of the training losses of a row; null when one of them is not a number or there is none. */
export const trainLoss = (metrics: Metrics): number | null => {
  const losses = Object.entries(metrics).filter(([column]) => column.startsWith('train/'));
  if (losses.length === 0) return null;
  return losses.reduce<number | null>((sum, [, loss]) => (sum === null || loss === null ? null : sum + loss), 0);
};

/** Epochs in which one of these columns was NaN or infinite, and what it was. */
export const nonFiniteEpochs = (
  rows: readonly EpochRow[],
  columns: readonly string[],
): readonly { readonly epoch: number; readonly column: string; readonly kind: NonFinite }[] =>
  rows.flatMap((row) =>
    columns.flatMap((column) => {
      const kind = row.nonFinite?.[column];
      return kind ? [{ epoch: row.epoch, column, kind }] : [];
    }),
  );
