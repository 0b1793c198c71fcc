import { mayBeGlued } from './bar.ts';

/**
 * Knows which redraws of the training bar say nothing that is kept, from their bytes alone: a log is little else, so
 * this is what its speed hangs on.
 */
export type Redraws = {
  /** After a redraw was read: the next one that counts is at `nextKept` of `total`. `columns` is `12/100` in it. */
  readonly remember: (raw: string, columns: string, done: number, total: number, nextKept: number) => void;
  readonly forget: () => void;
  readonly canSkip: (raw: string) => boolean;
};

const ZERO = 0x30;

/** None read yet. */
export const createRedraws = (): Redraws => {
  let prefix: string | null = null;
  let count = '';
  let seen = 0;
  let nextKept = 0;

  return {
    remember: (raw, columns, done, total, next) => {
      const at = raw.indexOf(`${columns} `);
      // Copied: a slice would keep the whole chunk in memory.
      prefix = at === -1 ? null : Buffer.from(raw.slice(0, at + columns.length + 1), 'latin1').toString('latin1');
      count = `/${total} `;
      seen = done;
      nextKept = next;
    },
    forget: () => {
      prefix = null;
    },
    canSkip: (raw) => {
      if (prefix === null || !raw.startsWith(prefix)) return false;
      const slash = raw.indexOf(count, prefix.length);
      if (slash === -1) return false;
      const done = integerBefore(raw, slash);
      const isBetween = done >= seen && done < nextKept;
      if (!isBetween || mayBeGlued(raw.slice(slash))) return false;
      seen = done;
      return true;
    },
  };
};

/** The decimal number that ends before `end`; NaN, which no comparison holds for, when there is none. */
const integerBefore = (raw: string, end: number): number => {
  let value = 0;
  let factor = 1;
  let at = end - 1;
  for (; at >= 0; at -= 1) {
    const digit = raw.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) break;
    value += digit * factor;
    factor *= 10;
  }
  return at === end - 1 ? Number.NaN : value;
};
