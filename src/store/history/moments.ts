import type { Columns } from '../chunks/columns.ts';

/** The place of the first of rising moments that is not before this one; their length where there is none. */
export const placeFrom = (moments: Float64Array, moment: number): number => {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((moments[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The rows with `from` <= at < `to`; shares memory with all of them. */
export const rowsBetween = (rows: Columns, from: number, to: number): Columns => {
  const first = placeFrom(rows.at, from);
  const end = placeFrom(rows.at, to);
  if (first === 0 && end === rows.at.length) return rows;
  const columns = [...rows.columns].map(([name, values]) => [name, values.subarray(first, end)] as const);
  return { at: rows.at.subarray(first, end), columns: new Map(columns) };
};

/** All rows of both, by their moments; one that both have is there once, as `a` has it. */
export const unionByMoment = (a: Columns, b: Columns): Columns => {
  if (a.at.length === 0) return b;
  if (b.at.length === 0) return a;
  const length = a.at.length + b.at.length;
  const at = new Float64Array(length);
  /** Where each row comes from: its place in `a`, or -1 - its place in `b`. */
  const source = new Int32Array(length);
  let rows = 0;
  for (let i = 0, j = 0; i < a.at.length || j < b.at.length; rows++) {
    const ofA = a.at[i] ?? Number.POSITIVE_INFINITY;
    const ofB = b.at[j] ?? Number.POSITIVE_INFINITY;
    at[rows] = Math.min(ofA, ofB);
    source[rows] = ofA <= ofB ? i : -1 - j;
    if (ofA <= ofB) i++;
    if (ofB <= ofA) j++;
  }
  const names = new Set([...a.columns.keys(), ...b.columns.keys()]);
  const columnOf = (name: string): Float64Array => {
    const [ofA, ofB] = [a.columns.get(name), b.columns.get(name)];
    const values = new Float64Array(rows).fill(Number.NaN);
    for (let row = 0; row < rows; row++) {
      const place = source[row] ?? 0;
      values[row] = (place >= 0 ? ofA?.[place] : ofB?.[-1 - place]) ?? Number.NaN;
    }
    return values;
  };
  return { at: at.subarray(0, rows), columns: new Map([...names].map((name) => [name, columnOf(name)])) };
};

/** The rows whose moments are not among these, which rise. */
export const withoutMoments = (rows: Columns, moments: Float64Array): Columns => {
  const kept = Array.from(rows.at.keys()).filter((row) => {
    const at = rows.at[row] ?? 0;
    return moments[placeFrom(moments, at)] !== at;
  });
  if (kept.length === rows.at.length) return rows;
  const pick = (values: Float64Array) => Float64Array.from(kept, (row) => values[row] ?? Number.NaN);
  return { at: pick(rows.at), columns: new Map([...rows.columns].map(([name, values]) => [name, pick(values)])) };
};
