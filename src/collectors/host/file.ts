import { closeSync, openSync, readSync } from 'node:fs';

/** A file of /proc that is read again and again: reading at position 0 makes the kernel write it anew. */
export type HostFile = {
  /** The whole text; null where this kernel has no such file, or has switched it off. */
  readonly read: () => string | null;
  readonly close: () => void;
};

/** Read synchronously on purpose: 2 to 9 µs, against a thread-pool hop that queues behind a stuck network disk. */
export const openHostFile = (path: string, buffer: Buffer): HostFile => {
  let descriptor: number | null | undefined;
  const close = (): void => {
    if (typeof descriptor === 'number') closeSync(descriptor);
    descriptor = null;
  };
  return {
    read: () => {
      try {
        if (descriptor === undefined) descriptor = openSync(path, 'r');
        return descriptor === null ? null : readFromStart(descriptor, buffer);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && ABSENT.has(String(error.code)))) throw error;
        close();
        return null;
      }
    },
    close,
  };
};

/** EOPNOTSUPP is what /proc/pressure answers on a kernel started with psi=0. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EOPNOTSUPP', 'ENOTSUP']);

const readFromStart = (descriptor: number, buffer: Buffer): string => {
  let text = '';
  for (let position = 0; ; ) {
    const length = readSync(descriptor, buffer, 0, buffer.length, position);
    if (length === 0) return text;
    text += buffer.toString('latin1', 0, length);
    position += length;
  }
};
