import koffi from 'koffi';

/** A handle of a GPU, an instance or an event set. */
export type Handle = bigint;

/** What a call can be given: memory, a number of 32 bits, one of 64 or a handle, a text. */
type Argument = Buffer | number | bigint | string | null;

/** A library as a test calls it: by the names of NVML, with memory that the test looks into itself. */
export const openNvml = (library: string) => {
  const loaded = koffi.load(library);
  const declare = (name: string, args: readonly Argument[]) => loaded.func(name, 'int32', args.map(typeOf));
  const call = (name: string, ...args: readonly Argument[]): number => Number(declare(name, args)(...args));

  const handle = (name: string, ...args: readonly Argument[]): Handle => {
    const out = Buffer.alloc(8);
    const code = call(name, ...args, out);
    if (code !== 0) throw new Error(`${name} returned ${code}`);
    return out.readBigUInt64LE();
  };
  return {
    /** The code that a call returns. */
    call,
    /** The same on another thread, which may be made to wait. */
    callAside: (name: string, ...args: readonly Argument[]): Promise<number> =>
      new Promise((resolve, reject) =>
        declare(name, args).async(...args, (error: Error | null, code: number) =>
          error === null ? resolve(code) : reject(error),
        ),
      ),
    /** The handle that a call gives into its last argument. Throws where it does not return 0. */
    handle,
    gpu: (index: number): Handle => handle('nvmlDeviceGetHandleByIndex_v2', index),
    /** The number of 32 bits that a call gives into its last argument, or its code where that is not 0. */
    number: (name: string, ...args: readonly Argument[]): number | { code: number } => {
      const out = Buffer.alloc(8);
      const code = call(name, ...args, out);
      return code === 0 ? out.readUInt32LE() : { code };
    },
    text: (name: string, ...args: readonly Argument[]): string => {
      const out = Buffer.alloc(96);
      call(name, ...args, out, out.length);
      return out.toString('utf8', 0, out.indexOf(0));
    },
    has: (name: string): boolean => {
      try {
        declare(name, []);
        return true;
      } catch {
        return false;
      }
    },
  };
};

const typeOf = (argument: Argument): string => {
  if (typeof argument === 'number') return 'uint32';
  if (typeof argument === 'bigint') return 'uint64';
  return typeof argument === 'string' ? 'const char *' : 'void *';
};
