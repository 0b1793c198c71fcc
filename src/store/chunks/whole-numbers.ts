import { createByteReader, createByteWriter, DamagedChunk } from './bytes.ts';

/** How whole numbers are written: as they are, as steps from one to the next, or as how those steps change. */
export const ORDERS = [0, 1, 2] as const;
export type Order = (typeof ORDERS)[number];

/** What is divided by one of these after reading; a value that no scale makes whole is written as a double. */
export const SCALES = [1, 10, 100, 1000] as const;

/** Larger ones are not written as whole numbers: their second differences would pass 2^53. */
const LARGEST = 2 ** 50;

/** The place in {@link SCALES} of the first that makes all values whole, and gives each back bit by bit; null: none. */
export const scaleOf = (values: Float64Array): number | null => {
  const found = SCALES.findIndex((scale) =>
    values.every((value) => {
      const whole = Math.round(value * scale);
      return Math.abs(whole) <= LARGEST && !Object.is(whole, -0) && whole / scale === value;
    }),
  );
  return found === -1 ? null : found;
};

/** Differences in zigzag (0, -1, 1, -2, …) as varints: small steps either way are one byte. */
export const writeWholeNumbers = (values: Float64Array, scale: number, order: Order): Uint8Array => {
  const writer = createByteWriter();
  let last = 0;
  let step = 0;
  for (const value of values) {
    const whole = Math.round(value * scale);
    const difference = order === 0 ? whole : order === 1 ? whole - last : whole - last - step;
    step = whole - last;
    last = whole;
    writer.varint(difference < 0 ? -2 * difference - 1 : 2 * difference);
  }
  return writer.bytes();
};

/** The `count` values that {@link writeWholeNumbers} wrote. Throws {@link DamagedChunk} when there are more or fewer. */
export const readWholeNumbers = (bytes: Uint8Array, count: number, scale: number, order: Order): Float64Array => {
  const reader = createByteReader(bytes);
  const values = reader.varints(count);
  let last = 0;
  let step = 0;
  for (let i = 0; i < count; i++) {
    const difference = fromZigzag(values[i] ?? 0);
    const whole = order === 0 ? difference : order === 1 ? last + difference : last + step + difference;
    step = whole - last;
    last = whole;
    values[i] = whole / scale;
  }
  if (!reader.isAtEnd()) throw new DamagedChunk(`it holds more than ${count} values`);
  return values;
};

const fromZigzag = (coded: number): number => {
  // Nearly all are small: whole numbers of 32 bits are far quicker.
  if (coded < 2 ** 31) return (coded >>> 1) ^ -(coded & 1);
  return coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2;
};
