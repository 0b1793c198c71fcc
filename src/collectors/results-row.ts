import type { NonFinite } from '../core/run.ts';

/** What one line of a result file says, whatever its format. */
export type ResultValues = {
  readonly epoch: number;
  /** Seconds since this process's training began; null in files without a `time` column. */
  readonly elapsedS: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly nonFinite?: Readonly<Record<string, NonFinite>>;
};

/** Reads one line; null for a line that is not a row of this file (it is kept out of the series and counted). */
export type ReadRow = (line: string) => ResultValues | null;

/**
 * Reads the cells of a row by the names of their columns. Any column besides `epoch` and `time` is a metric under its
 * own name. Null when the epoch is no count, or when one of the cells is no number: then the row is none.
 */
export const readCells = (columns: readonly string[], cells: readonly string[]): ResultValues | null => {
  if (cells.length !== columns.length) return null;
  let epoch: number | null = null;
  let elapsedS: number | null = null;
  const metrics: [string, number | null][] = [];
  const nonFinite: [string, NonFinite][] = [];
  for (const [index, column] of columns.entries()) {
    if (column === '') continue;
    const value = parseCell(cells[index] ?? '');
    if (value === undefined) return null;
    const finite = typeof value === 'number' ? value : null;
    if (column === 'epoch') epoch = finite;
    else if (column === 'time') elapsedS = finite;
    else {
      metrics.push([column, finite]);
      if (typeof value === 'string') nonFinite.push([column, value]);
    }
  }
  if (epoch === null || !Number.isSafeInteger(epoch) || epoch < 0) return null;
  // Object.fromEntries defines own properties: a column called __proto__ is a column and nothing more.
  return {
    epoch,
    elapsedS,
    metrics: Object.fromEntries(metrics),
    ...(nonFinite.length > 0 && { nonFinite: Object.fromEntries(nonFinite) }),
  };
};

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NOT_FINITE = /^([+-]?)(nan|inf|infinity)$/i;

/** A number, what it was instead of a finite one, null for an empty cell (not written), undefined when it is none. */
const parseCell = (text: string): number | NonFinite | null | undefined => {
  const cell = text.trim();
  if (cell === '') return null;
  if (DECIMAL.test(cell)) {
    const value = Number(cell);
    return Number.isFinite(value) ? value : infinity(value < 0);
  }
  const [, sign, word] = NOT_FINITE.exec(cell) ?? [];
  if (word === undefined) return undefined;
  return word.toLowerCase() === 'nan' ? 'nan' : infinity(sign === '-');
};

const infinity = (negative: boolean): NonFinite => (negative ? '-inf' : 'inf');
