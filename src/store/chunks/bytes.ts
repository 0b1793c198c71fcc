/** A chunk whose bytes are not what {@link encodeChunk} writes. */
export class DamagedChunk extends Error {
  override name = 'DamagedChunk';
}

/** Bytes in the making: whole numbers of 0 to 2^53 as varints, 7 bits a byte, the lowest first. */
export const createByteWriter = () => {
  let bytes = new Uint8Array(256);
  let length = 0;
  const reserve = (count: number): void => {
    if (length + count <= bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * bytes.length, length + count));
    larger.set(bytes.subarray(0, length));
    bytes = larger;
  };
  return {
    varint: (value: number): void => {
      reserve(8);
      let rest = value;
      while (rest >= 128) {
        bytes[length++] = (rest % 128) + 128;
        rest = Math.floor(rest / 128);
      }
      bytes[length++] = rest;
    },
    append: (more: Uint8Array): void => {
      reserve(more.length);
      bytes.set(more, length);
      length += more.length;
    },
    /** What was written; a copy. */
    bytes: (): Uint8Array => bytes.slice(0, length),
  };
};

/** Reads what a writer wrote; throws {@link DamagedChunk} where the bytes end too early. */
export const createByteReader = (bytes: Uint8Array) => {
  let position = 0;
  const varints = (count: number): Float64Array => {
    const values = new Float64Array(count);
    // A local variable: this loop is most of what reading a column costs.
    let at = position;
    for (let i = 0; i < count; i++) {
      let byte = bytes[at++] ?? NO_BYTE;
      let value = byte & 127;
      for (let factor = 128; byte >= 128; factor *= 128) {
        byte = bytes[at++] ?? NO_BYTE;
        value += (byte & 127) * factor;
        if (byte === NO_BYTE) throw new DamagedChunk('it ends within a number');
        if (value > 2 ** 53) throw new DamagedChunk(`the number before byte ${at} is too large`);
      }
      values[i] = value;
    }
    position = at;
    return values;
  };
  return {
    varint: (): number => varints(1)[0] ?? 0,
    varints,
    take: (count: number): Uint8Array => {
      if (count > bytes.length - position) {
        throw new DamagedChunk(`${count} bytes are missing of ${bytes.length - position} that are left`);
      }
      position += count;
      return bytes.subarray(position - count, position);
    },
    rest: (): Uint8Array => bytes.subarray(position),
    isAtEnd: (): boolean => position >= bytes.length,
  };
};

/** In place of a byte that is not there: no byte is so large, and it asks for another one. */
const NO_BYTE = 256 + 128;
