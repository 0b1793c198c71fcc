import type { ObservedResults, ObservedRow, ObservedRun } from '../../src/core/batch.ts';
import { T0 } from './open-store.ts';

/** Rows of epochs `from` to `to`, a minute apart, `time` counted from the first one. */
export const rows = (from: number, to: number, change: Partial<ObservedRow> = {}): ObservedRow[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    fileAttempt: 0,
    fileAttemptKind: 'start',
    epoch: from + i,
    at: T0 + (from + i) * 60_000,
    atSource: 'mtime',
    elapsedS: (i + 1) * 60,
    metrics: { 'train/box_loss': 1 / (from + i + 1), 'metrics/mAP50(B)': null },
    ...change,
  }));

const results: ObservedResults = {
  generation: 'first',
  inode: 900,
  fresh: false,
  mtimeAt: T0,
  size: 1000,
  rowsKeptOut: 0,
  epochsPlanned: null,
};

/** One look at a run folder that holds `look.rows`. */
export const observed = ({
  folder,
  results: file,
  ...look
}: Partial<Omit<ObservedRun, 'folder' | 'results'>> & {
  folder?: Partial<ObservedRun['folder']>;
  results?: Partial<ObservedResults>;
} = {}): ObservedRun => ({
  path: '/runs/train',
  args: null,
  argsAt: null,
  rows: [],
  resultsPngAt: null,
  activityAt: T0,
  ...look,
  folder: { device: 1, inode: 100, bornAt: T0, ...folder },
  results: { ...results, ...file },
});
