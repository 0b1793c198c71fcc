import { type ReadRow, readCells } from './row.ts';

/**
 * Reads the header of every csv family (padded `%20s`, `%23s`, unpadded) and returns the reader of its rows; null
 * when the line is no header. Columns are known by name alone, never by place or count. Rows of another length than
 * the header are not rows: yolov5-seg writes one of 13 of 20 fields under the wrong columns, other versions append 20
 * to a header of 14.
 */
export const readCsvHeader = (line: string): ReadRow | null => {
  if (!line.includes('epoch')) return null;
  const columns = line
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((cell) => cell.trim());
  return columns.includes('epoch') ? (row) => readCells(columns, row.split(',')) : null;
};
