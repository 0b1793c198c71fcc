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
 * Reads the header of every csv family (padded `%20s`, `%23s`, unpadded) and returns the reader of its rows; null
 * when the line is no header. Columns are known by name alone, never by place or count: any column besides `epoch`
 * and `time` is a metric under the trainer's own name. Rows of another length than the header are not rows: yolov5-seg
 * writes one of 13 of 20 fields under the wrong columns, other versions append 20 to a header of 14.
 */
export const readCsvHeader = (line: string): ReadRow | null => {
  const columns = line
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((cell) => cell.trim());
  const epochColumn = columns.indexOf('epoch');
  if (epochColumn === -1) return null;
  return (row) => {
    const cells = row.split(',');
    if (cells.length !== columns.length) return null;
    const epoch = parseCell(cells[epochColumn] ?? '');
    if (!Number.isSafeInteger(epoch) || Number(epoch) < 0) return null;
    return readCells(columns, cells, Number(epoch));
  };
};

const readCells = (columns: readonly string[], cells: readonly string[], epoch: number): ResultValues | null => {
  let elapsedS: number | null = null;
  const metrics: [string, number | null][] = [];
  const nonFinite: [string, NonFinite][] = [];
  for (const [index, column] of columns.entries()) {
    if (column === 'epoch' || column === '') continue;
    const value = parseCell(cells[index] ?? '');
    if (value === undefined) return null;
    const finite = typeof value === 'number' ? value : null;
    if (column === 'time') elapsedS = finite;
    else {
      metrics.push([column, finite]);
      if (typeof value === 'string') nonFinite.push([column, value]);
    }
  }
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
