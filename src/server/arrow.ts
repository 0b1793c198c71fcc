import { setImmediate } from 'node:timers/promises';
import { Float64, Table, TimestampMillisecond, tableToIPC, Uint32, type Vector, vectorFromArray } from 'apache-arrow';
import type { Column } from './history-columns.ts';

/**
 * Columns as an Arrow IPC stream: `t` as a timestamp in UTC, milliseconds, then one column for each of `columns`, of
 * 64-bit floats or, for counts, unsigned 32-bit integers. A null is a null of Arrow, never NaN. Others have their turn
 * between columns.
 */
export const formatArrow = async (t: readonly number[], columns: readonly Column[]): Promise<Uint8Array> => {
  const vectors: [string, Vector][] = [['t', vectorFromArray(t, new TimestampMillisecond('UTC'))]];
  for (const { name, isCount, values } of columns) {
    vectors.push([name, vectorFromArray(values, isCount ? new Uint32() : new Float64())]);
    await setImmediate();
  }
  const table = new Table(Object.fromEntries(vectors));
  return tableToIPC(table, 'stream');
};
