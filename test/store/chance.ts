/** Repeatable chance: a linear congruential generator (Numerical Recipes), 0 to 1. */
export const createChance = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
};
