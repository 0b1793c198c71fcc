/** Keeps the columns that were read last, up to so many bytes. */
export type ColumnCache<T> = {
  /** Makes it where it is not there. `version`: whatever was kept for another one is let go of. */
  readonly get: (version: number, key: string, make: () => T) => T;
};

/** What an entry costs beside its value, about. */
const OWN_BYTES = 300;

/** `bytesOf` says what a value costs; those that were not asked for longest go first. */
export const createColumnCache = <T>(maxBytes: number, bytesOf: (value: T) => number): ColumnCache<T> => {
  const kept = new Map<string, { readonly value: T; readonly bytes: number }>();
  let bytes = 0;
  let keptVersion = Number.NaN;
  return {
    get: (version, key, make) => {
      if (version !== keptVersion) {
        kept.clear();
        bytes = 0;
        keptVersion = version;
      }
      const known = kept.get(key);
      if (known !== undefined) {
        kept.delete(key);
        kept.set(key, known);
        return known.value;
      }
      const value = make();
      const entry = { value, bytes: OWN_BYTES + bytesOf(value) };
      kept.set(key, entry);
      bytes += entry.bytes;
      for (const [oldest, old] of kept) {
        if (bytes <= maxBytes) break;
        kept.delete(oldest);
        bytes -= old.bytes;
      }
      return value;
    },
  };
};
