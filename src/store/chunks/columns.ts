/**
 * What stands in one chunk: moments in ms, strictly rising, and named columns as long as they are; NaN where nothing is
 * known. A column that knows nothing at all need not be there.
 */
export type Columns = {
  readonly at: Float64Array;
  readonly columns: ReadonlyMap<string, Float64Array>;
};

/** A chunk as it is stored: the names of its columns in order, and their bytes. */
export type StoredChunk = { readonly names: readonly string[]; readonly body: Uint8Array };
