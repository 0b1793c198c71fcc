import { DamagedChunk } from './bytes.ts';

const BYTES = 8;

/**
 * Doubles as they are in memory, each XORed with the one before, the first bytes of all, then the second of all, and so
 * on: what two neighbours share becomes runs of zeros, which compress well.
 */
export const writeDoubles = (values: Float64Array): Uint8Array => {
  const bytes = bytesOf(values);
  const planes = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const before = bytes[i - BYTES] ?? 0;
    planes[(i % BYTES) * values.length + Math.floor(i / BYTES)] = (bytes[i] ?? 0) ^ before;
  }
  return planes;
};

/** The `count` values that {@link writeDoubles} wrote. Throws {@link DamagedChunk} when there are more or fewer. */
export const readDoubles = (planes: Uint8Array, count: number): Float64Array => {
  if (planes.length !== count * BYTES) throw new DamagedChunk(`it holds ${planes.length} bytes of ${count} doubles`);
  const values = new Float64Array(count);
  const bytes = bytesOf(values);
  for (let i = 0; i < bytes.length; i++) {
    const before = bytes[i - BYTES] ?? 0;
    bytes[i] = (planes[(i % BYTES) * count + Math.floor(i / BYTES)] ?? 0) ^ before;
  }
  return values;
};

/** The same memory; little-endian on every machine that Node runs on. */
const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
