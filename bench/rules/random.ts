/** Chance with a seed: the same draws for the same seed, on every machine. */
export type Random = {
  /** From 0 up to, not including, 1. */
  readonly unit: () => number;
  readonly uniform: (low: number, high: number) => number;
  /** Uniform in the logarithm. */
  readonly logUniform: (low: number, high: number) => number;
  readonly gauss: (mean: number, deviation: number) => number;
  /** A whole number from `low` to `high`, both included. */
  readonly integer: (low: number, high: number) => number;
  readonly choice: <T>(values: readonly [T, ...T[]]) => T;
};

/**
 * sfc32 (Chris Doty-Humphrey's small fast counter, of PractRand) with 53 bits a draw. Each distribution takes its draws
 * as Python's `random.Random` does, so that reference.py can lend this chance to the Python generators.
 */
export const createRandom = (seed: number): Random => {
  const next = sfc32(seed);
  let spare: number | null = null;
  const unit = () => ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992;
  const uniform = (low: number, high: number) => low + (high - low) * unit();
  const below = (count: number) => Math.floor(unit() * count);
  return {
    unit,
    uniform,
    logUniform: (low, high) => Math.exp(uniform(Math.log(low), Math.log(high))),
    gauss: (mean, deviation) => {
      // Box-Muller makes two at once.
      let z = spare;
      spare = null;
      if (z === null) {
        const angle = 2 * Math.PI * unit();
        const radius = Math.sqrt(-2 * Math.log(1 - unit()));
        z = Math.cos(angle) * radius;
        spare = Math.sin(angle) * radius;
      }
      return mean + z * deviation;
    },
    integer: (low, high) => low + below(high - low + 1),
    choice: (values) => values[below(values.length)] ?? values[0],
  };
};

/** Whole numbers of 32 bits; the first draws, in which the seed still shows, are thrown away. */
const sfc32 = (seed: number): (() => number) => {
  let a = 0;
  let b = seed | 0;
  let c = 0;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
};
