/** A stretch of time, `to` exclusive, ms. */
export type Range = { readonly from: number; readonly to: number };

/** The same time, in order and without overlaps. */
export const union = (ranges: readonly Range[]): Range[] => {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
};

/** The time that is in both; each rises and does not overlap. */
export const intersection = (some: readonly Range[], others: readonly Range[]): Range[] => {
  const common: Range[] = [];
  for (let i = 0, k = 0; i < some.length && k < others.length; ) {
    const [a, b] = [some[i], others[k]];
    if (a === undefined || b === undefined) break;
    const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
    if (from < to) common.push({ from, to });
    if (a.to < b.to) i++;
    else k++;
  }
  return common;
};
