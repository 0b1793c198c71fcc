import { createByteReader, createByteWriter, DamagedChunk } from './bytes.ts';
import { readColumn, writeColumn } from './column.ts';
import type { Columns, StoredChunk } from './columns.ts';

/** An opened chunk: each column is decoded when it is asked for, and by itself. All throw {@link DamagedChunk}. */
export type Chunk = {
  readonly rows: number;
  readonly names: readonly string[];
  /** Moments in ms, strictly rising. */
  readonly at: () => Float64Array;
  /** NaN where nothing is known; null: there is no such column. */
  readonly column: (name: string) => Float64Array | null;
};

/** An hour at 1 kHz: more than any source gives. A damaged length asks for no more memory than this. */
const MAX_ROWS = 4_000_000;

/**
 * Writes samples of one subject, losslessly: rows, the lengths of the columns in bytes, the moments, the columns. What
 * is known nowhere is left out. Throws a RangeError when moments do not rise, or a column is not as long as they are.
 */
export const encodeChunk = ({ at, columns }: Columns): StoredChunk => {
  const fault = faultOf(at);
  if (fault !== null) throw new RangeError(`moments ${fault}`);
  const known = [...columns].filter(([, values]) => values.some((value) => !Number.isNaN(value)));
  for (const [name, values] of known) {
    if (values.length !== at.length)
      throw new RangeError(`${name} has ${values.length} values at ${at.length} moments`);
  }
  const segments = [at, ...known.map(([, values]) => values)].map(writeColumn);
  const writer = createByteWriter();
  writer.varint(at.length);
  for (const { length } of segments) writer.varint(length);
  for (const segment of segments) writer.append(segment);
  return { names: known.map(([name]) => name), body: writer.bytes() };
};

/** Opens what {@link encodeChunk} wrote. */
export const openChunk = ({ names, body }: StoredChunk): Chunk => {
  const reader = createByteReader(body);
  const rows = reader.varint();
  if (rows > MAX_ROWS) throw new DamagedChunk(`it says that it has ${rows} rows`);
  const segments = Array.from(reader.varints(names.length + 1), reader.take);
  if (!reader.isAtEnd()) throw new DamagedChunk('it goes on after its last column');
  const read = (place: number): Float64Array => readColumn(segments[place] ?? new Uint8Array(0), rows);
  return {
    rows,
    names,
    at: () => {
      const at = read(0);
      const fault = faultOf(at);
      if (fault !== null) throw new DamagedChunk(`its moments ${fault}`);
      return at;
    },
    column: (name) => {
      const place = names.indexOf(name);
      return place === -1 ? null : read(place + 1);
    },
  };
};

const faultOf = (at: Float64Array): string | null => {
  for (let i = 0; i < at.length; i++) {
    const moment = at[i] ?? Number.NaN;
    if (!Number.isFinite(moment)) return `hold ${moment}`;
    const before = at[i - 1];
    if (before !== undefined && before >= moment) return `do not rise from ${before} to ${moment}`;
  }
  return null;
};
