import { createHash } from 'node:crypto';
import type { OpenFile } from '../file/access.ts';
import { readAt } from '../file/read.ts';

/** Tells whether a log is still the one that was read, whatever its inode: by its first line and the last bytes read. */
export type LogIdentity = {
  /** `bytes` were read at `position`. */
  readonly take: (bytes: Buffer, position: number) => void;
  /** Whether the file holds what was taken, `taken` bytes, at the places where it was. */
  readonly isSame: (file: OpenFile, size: number, taken: number) => Promise<boolean>;
  /** Another log stands in the place of the one that was read; it was last written at `at`. */
  readonly begin: (at: number) => void;
  /** null while the first line is not complete. */
  readonly generation: () => string | null;
};

const HEAD_BYTES = 256;
const LAST_BYTES = 256;
const CR = 0x0d;
const LF = 0x0a;

/**
 * The generation is the hash of the first line, so that it is the same after a restart of ours. Trainers print the same
 * first line every time: where that is all there was to tell two logs in one place apart, the moment is added.
 */
export const createLogIdentity = (): LogIdentity => {
  let head = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  let before: string | null = null;
  let begunAt: number | null = null;

  const hashOfHead = (): string | null => {
    const end = head.findIndex((byte) => byte === CR || byte === LF);
    if (end === -1 && head.length < HEAD_BYTES) return null;
    const line = end === -1 ? head : head.subarray(0, end);
    return createHash('sha256').update(line).digest('hex').slice(0, 32);
  };

  return {
    take: (bytes, position) => {
      if (position < HEAD_BYTES)
        head = Buffer.concat([head.subarray(0, position), bytes.subarray(0, HEAD_BYTES - position)]);
      last = Buffer.concat([position === 0 ? Buffer.alloc(0) : last, bytes.subarray(-LAST_BYTES)]).subarray(
        -LAST_BYTES,
      );
    },
    isSame: async (file, size, taken) => {
      if (size < taken) return false;
      const begins = head.equals(await readAt(file, 0, head.length));
      return begins && last.equals(await readAt(file, taken - last.length, last.length));
    },
    begin: (at) => {
      before = hashOfHead() ?? before;
      begunAt = at;
      head = Buffer.alloc(0);
      last = Buffer.alloc(0);
    },
    generation: () => {
      const hash = hashOfHead();
      return hash !== null && hash === before ? `${hash}-${begunAt}` : hash;
    },
  };
};
