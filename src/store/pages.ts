import { BadCursor } from '../core/ports.ts';
import type { Page } from '../core/schema.ts';

/** The sort key of one list's rows, in the order of sorting. */
type Key = readonly (string | number)[];

/**
 * A page from `limit + 1` rows (one more than asked for tells whether there is a next page). Its cursor holds the list
 * and the key of the last row, so pages stay put while rows are added before them.
 */
export const toPage = <Row, Item>(
  list: string,
  rows: readonly Row[],
  limit: number,
  { keyOf, itemOf }: { readonly keyOf: (row: Row) => Key; readonly itemOf: (row: Row) => Item },
): Page<Item> => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(itemOf),
    next: rows.length > limit && last !== undefined ? encode([list, ...keyOf(last)]) : null,
  };
};

/**
 * The key that a cursor of this list holds; `first`, which is also the pattern of its types, without a cursor.
 * Throws {@link BadCursor} when the cursor does not parse or belongs to another list.
 */
export const keyAfter = <K extends Key>(list: string, cursor: string | undefined, first: K): K => {
  if (cursor === undefined) return first;
  const parts = decode(cursor);
  const [name, ...key] = parts;
  const fits = key.length === first.length && first.every((part, index) => typeof key[index] === typeof part);
  if (name !== list || !fits) throw new BadCursor(`the cursor ${cursor} does not belong to this list`);
  // Just checked, part by part, against the pattern.
  return key as unknown as K;
};

const encode = (parts: Key): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

const decode = (cursor: string): unknown[] => {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts)) return parts;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new BadCursor(`${cursor} is not a cursor`);
};
