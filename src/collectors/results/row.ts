import type { NonFinite } from '../../core/run.ts';

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
  const metrics: Record<string, number | null> = {};
  let nonFinite: Record<string, NonFinite> | null = null;
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] ?? '';
    if (column === '') continue;
    const value = parseCell(cells[index] ?? '');
    if (value === undefined) return null;
    const finite = typeof value === 'number' ? value : null;
    if (column === 'epoch') epoch = finite;
    else if (column === 'time') elapsedS = finite;
    else {
      put(metrics, column, finite);
      if (typeof value === 'string') {
        nonFinite ??= {};
        put(nonFinite, column, value);
      }
    }
  }
  if (epoch === null || !Number.isSafeInteger(epoch) || epoch < 0) return null;
  return nonFinite === null ? { epoch, elapsedS, metrics } : { epoch, elapsedS, metrics, nonFinite };
};

/** A column called __proto__ is a column and nothing more. */
const put = <T>(values: Record<string, T>, name: string, value: T): void => {
  if (name !== '__proto__') values[name] = value;
  else Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true });
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
