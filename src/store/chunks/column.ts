import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { createByteReader, createByteWriter, DamagedChunk } from './bytes.ts';
import { readDoubles, writeDoubles } from './doubles.ts';
import { ORDERS, type Order, readWholeNumbers, SCALES, scaleOf, writeWholeNumbers } from './whole-numbers.ts';

// A column: FORM, then where values are (only if some are missing), then the values.
// FORM is one number: how the values are written, plus flags.
const CONSTANT = 0;
const WHOLE_NUMBERS = 1; // + 3 * place of the scale + order
const DOUBLES = WHOLE_NUMBERS + SCALES.length * ORDERS.length;
const FORMS = DOUBLES + 1;
const IS_COMPRESSED = 16;
const HAS_GAPS = 32;

/** Compressing must save an eighth, and some bytes: every read pays for it. */
const WORTH = { share: 7 / 8, bytes: 32 } as const;
/** The longest varint, which is longer than a double. */
const MAX_VALUE_BYTES = 8;

/** One column in the smallest of a few forms, each lossless. NaN: nothing is known there. */
export const writeColumn = (values: Float64Array): Uint8Array => {
  const known = values.filter((value) => !Number.isNaN(value));
  const { form, bytes } = smallest(formsOf(known));
  const writer = createByteWriter();
  if (known.length === values.length) writer.varint(form);
  else {
    writer.varint(form + HAS_GAPS);
    const runs = runsOf(values);
    writer.varint(runs.length);
    for (const run of runs) writer.varint(run);
  }
  writer.append(bytes);
  return writer.bytes();
};

/** The `rows` values that {@link writeColumn} wrote, bit by bit. Throws {@link DamagedChunk} when it wrote others. */
export const readColumn = (column: Uint8Array, rows: number): Float64Array => {
  const reader = createByteReader(column);
  const form = reader.varint();
  if (form >= 2 * HAS_GAPS) throw new DamagedChunk(`it is written in an unknown form, ${form}`);
  const runs = form >= HAS_GAPS ? readRuns(reader, rows) : [rows];
  const count = runs.reduce((sum, run, i) => (i % 2 === 0 ? sum + run : sum), 0);
  const known = readForm(form % HAS_GAPS, reader.rest(), count);
  return runs.length === 1 ? known : spread(known, runs, rows);
};

type Written = { readonly form: number; readonly bytes: Uint8Array };

const formsOf = (known: Float64Array): readonly Written[] => {
  const first = known.slice(0, 1);
  if (known.every((value) => Object.is(value, first[0]))) return [{ form: CONSTANT, bytes: writeDoubles(first) }];
  const place = scaleOf(known);
  if (place === null) return compressed({ form: DOUBLES, bytes: writeDoubles(known) });
  return ORDERS.flatMap((order) => {
    const bytes = writeWholeNumbers(known, SCALES[place] ?? 1, order);
    return compressed({ form: WHOLE_NUMBERS + ORDERS.length * place + order, bytes });
  });
};

const compressed = (plain: Written): readonly Written[] => {
  const bytes = deflateRawSync(plain.bytes);
  const isWorth = bytes.length < WORTH.share * plain.bytes.length && bytes.length < plain.bytes.length - WORTH.bytes;
  return isWorth ? [{ form: plain.form + IS_COMPRESSED, bytes }] : [plain];
};

const smallest = (written: readonly Written[]): Written =>
  written.reduce((best, one) => (one.bytes.length < best.bytes.length ? one : best));

const readForm = (form: number, bytes: Uint8Array, count: number): Float64Array => {
  const plainForm = form % IS_COMPRESSED;
  const plain = form >= IS_COMPRESSED ? inflate(bytes, MAX_VALUE_BYTES * count) : bytes;
  if (plainForm === CONSTANT) {
    return count === 0 ? new Float64Array(0) : new Float64Array(count).fill(readDoubles(plain, 1)[0] ?? Number.NaN);
  }
  if (plainForm === DOUBLES) return readDoubles(plain, count);
  if (plainForm >= FORMS) throw new DamagedChunk(`it is written in an unknown form, ${form}`);
  const place = Math.floor((plainForm - WHOLE_NUMBERS) / ORDERS.length);
  const order: Order = ORDERS[(plainForm - WHOLE_NUMBERS) % ORDERS.length] ?? 0;
  return readWholeNumbers(plain, count, SCALES[place] ?? 1, order);
};

const inflate = (bytes: Uint8Array, maxOutputLength: number): Uint8Array => {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(1, maxOutputLength) });
  } catch (error) {
    throw new DamagedChunk('its values cannot be decompressed', { cause: error });
  }
};

/** How many values are known, then how many are not, and so on; the first may be 0. */
const runsOf = (values: Float64Array): readonly number[] => {
  const runs = [0];
  let isKnown = true;
  for (const value of values) {
    if (Number.isNaN(value) === isKnown) {
      runs.push(0);
      isKnown = !isKnown;
    }
    runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
  }
  return runs;
};

const readRuns = (reader: ReturnType<typeof createByteReader>, rows: number): readonly number[] => {
  const count = reader.varint();
  if (count > rows + 1) throw new DamagedChunk(`it has ${count} stretches in ${rows} rows`);
  const runs = [...reader.varints(count)];
  const sum = runs.reduce((a, b) => a + b, 0);
  if (sum !== rows) throw new DamagedChunk(`its stretches hold ${sum} rows of ${rows}`);
  return runs;
};

const spread = (known: Float64Array, runs: readonly number[], rows: number): Float64Array => {
  const values = new Float64Array(rows).fill(Number.NaN);
  let from = 0;
  let to = 0;
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 0) {
      values.set(known.subarray(from, from + run), to);
      from += run;
    }
    to += run;
  }
  return values;
};
