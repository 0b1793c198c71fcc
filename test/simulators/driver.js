/** What follows from a driver's version alone. */

/** 550 of 550.163.01. @param {string} driver */
export const majorOf = (driver) => Number.parseInt(driver, 10);

/** @type {readonly (readonly [from: number, cuda: number])[]} */
const CUDA = [
  [470, 11_040],
  [510, 11_060],
  [525, 12_000],
  [535, 12_020],
  [550, 12_040],
  [570, 12_080],
  [580, 13_000],
  [595, 13_020],
];

/** The CUDA that a driver brings, as NVML counts it: 12040 is 12.4; 0 where it is older than 470. @param {string} driver */
export const cudaOf = (driver) => CUDA.findLast(([from]) => majorOf(driver) >= from)?.[1] ?? 0;
