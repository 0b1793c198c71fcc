import { closeSync, existsSync, openSync, readSync } from 'node:fs';

/** A file of /proc or /sys that is read again and again: reading at position 0 makes the kernel write it anew. */
export type HostFile = {
  /** The whole text; null while this kernel has no such file, or has switched it off. */
  readonly read: () => string | null;
  readonly close: () => void;
};

/** Opens a file by its path when it is first read. */
export type OpenHostFile = (path: string) => HostFile;

/**
 * Opens files that share one buffer. They are read synchronously on purpose: 2 to 9 µs each, against a thread-pool hop
 * that queues behind a stuck network disk. A file that is missing is looked for at every read, and one that refuses to
 * be read is not asked again: an exception costs more than all the other files together.
 */
export const createHostFiles = (): OpenHostFile => {
  const buffer = Buffer.alloc(64 * 1024);
  return (path) => {
    let descriptor: number | null = null;
    let refuses = false;
    const close = (): void => {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    };
    return {
      read: () => {
        if (refuses || (descriptor === null && !existsSync(path))) return null;
        try {
          descriptor ??= openSync(path, 'r');
          return readFromStart(descriptor, buffer);
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? String(error.code) : '';
          if (!GONE.has(code) && !REFUSED.has(code)) throw error;
          refuses = REFUSED.has(code);
          close();
          return null;
        }
      },
      close,
    };
  };
};

/** ENODEV is what a file of /sys answers whose device is gone; sensors have no value at times (EAGAIN, ENODATA, EIO). */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO', 'EAGAIN', 'ENODATA', 'EIO']);
/** EOPNOTSUPP is what /proc/pressure answers on a kernel started with psi=0. */
const REFUSED = new Set(['EACCES', 'EPERM', 'EOPNOTSUPP', 'ENOTSUP']);

const readFromStart = (descriptor: number, buffer: Buffer): string => {
  let text = '';
  for (let position = 0; ; ) {
    const length = readSync(descriptor, buffer, 0, buffer.length, position);
    if (length === 0) return text;
    text += buffer.toString('latin1', 0, length);
    position += length;
  }
};
