import type { Evidence } from '../core/alert.ts';
import { mean } from '../core/statistics.ts';
import { withoutTrend } from './sinusoid.ts';
import { epochRange, significant } from './wording.ts';

/** How much a series varies, by blocks of 25 rows. Plain JSON. */
export type Spread = {
  /** Full blocks, oldest first; only the last few are kept. */
  readonly blocks: readonly {
    readonly epochs: readonly [number, number];
    readonly raw: number;
    readonly detrended: number;
  }[];
  /** The rows of the block that fills up. */
  readonly open: readonly { readonly epoch: number; readonly value: number }[];
};

/** No rows. */
export const NO_SPREAD: Spread = { blocks: [], open: [] };

const BLOCK_ROWS = 25;
const KEPT_BLOCKS = 4;

/** The spread with one more row. */
export const addToSpread = ({ blocks, open }: Spread, epoch: number, value: number): Spread => {
  const rows = [...open, { epoch, value }];
  if (rows.length < BLOCK_ROWS) return { blocks, open: rows };
  const values = rows.map((row) => row.value);
  const block = {
    epochs: [rows[0]?.epoch ?? epoch, epoch] as const,
    raw: deviation(values),
    detrended: deviation(withoutTrend(values)),
  };
  return { blocks: [...blocks, block].slice(-KEPT_BLOCKS), open: [] };
};

/** Standard deviation by block, as it is and with the trend taken off: only the second is swinging. */
export const spreadEvidence = ({ blocks }: Spread): readonly Evidence[] =>
  blocks.flatMap(({ epochs, raw, detrended }) => [
    { name: `standard deviation of mAP50, ${epochRange(epochs)}`, value: significant(raw), unit: '' },
    { name: `the same without the trend, ${epochRange(epochs)}`, value: significant(detrended), unit: '' },
  ]);

const deviation = (values: readonly number[]): number => {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
};
