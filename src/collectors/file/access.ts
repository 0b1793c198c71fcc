import { type BigIntStats, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { fileOrNull, isMissing } from './stat.ts';

type Now<T> = T | Promise<T>;

/** A file that is open for reading. `read` fills the buffer as far as the file goes from `position`; resolves to the bytes. */
export type OpenFile = {
  readonly read: (buffer: Buffer, offset: number, length: number, position: number) => Now<number>;
  readonly close: () => Now<void>;
};

/** To open a file for reading that a pipe may have replaced since its stat: without a writer that would wait for ever. */
export const READ_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK;

/** The few calls that a tailer makes; null where no regular file is there, everything else that goes wrong is thrown. */
export type FileAccess = {
  readonly stat: (path: string) => Now<BigIntStats | null>;
  readonly open: (path: string) => Now<OpenFile | null>;
};

/** Through the thread pool, about 0.2 ms a call: a network disk that hangs stops nobody. */
export const patientAccess: FileAccess = {
  stat: fileOrNull,
  open: async (path) => {
    const handle = await open(path, READ_WITHOUT_WAITING).catch(nullIfMissing);
    return (
      handle && {
        read: async (...where) => (await handle.read(...where)).bytesRead,
        close: () => handle.close(),
      }
    );
  },
};

/** At once, a few microseconds a call: for files that were written this moment on a disk of this machine. */
export const promptAccess: FileAccess = {
  stat: (path) => {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found?.isFile() ? found : null;
  },
  open: (path) => {
    try {
      const descriptor = openSync(path, READ_WITHOUT_WAITING);
      return {
        read: (...where) => readSync(descriptor, ...where),
        close: () => closeSync(descriptor),
      };
    } catch (error) {
      return nullIfMissing(error);
    }
  },
};

/** File systems of this machine's own disks and memory, by the magic numbers of statfs(2). */
const LOCAL_FILE_SYSTEMS = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
]);

/** Whether a folder lies on a disk of this machine: there no call hangs, and every change is this machine's own. */
export const isLocal = async (folder: string): Promise<boolean> => LOCAL_FILE_SYSTEMS.has((await statfs(folder)).type);

/** The quickest access that a hung disk cannot turn against us: prompt on local file systems, else patient. */
export const accessFor = async (folder: string): Promise<FileAccess> =>
  (await isLocal(folder)) ? promptAccess : patientAccess;

const nullIfMissing = (error: unknown): null => {
  if (isMissing(error)) return null;
  throw error;
};
