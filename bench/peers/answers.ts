/** What a question came to: the values of each series (`gpu/metric/aggregate`) in the order of time. */
export type Answers = ReadonlyMap<string, readonly number[]>;

/** The aggregate in the key of a series of samples as they are. */
export const SAMPLES = 'samples';

/** Sums are added up in different orders, and texts of numbers end somewhere. */
const TOLERANCE = 1e-6;

/** What is different between two answers to the same question; null: nothing. */
export const difference = (expected: Answers, found: Answers): string | null => {
  for (const [series, values] of expected) {
    const others = found.get(series);
    if (others === undefined) return `${series} is missing; there are ${[...found.keys()].slice(0, 5).join(', ')}`;
    if (others.length !== values.length) return `${series} has ${others.length} values, not ${values.length}`;
    const place = values.findIndex((value, i) => !isSame(value, others[i] ?? Number.NaN));
    if (place !== -1) return `${series} is ${others[place]} at place ${place}, not ${values[place]}`;
  }
  return null;
};

const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a));
