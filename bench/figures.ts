/** Reports one figure of a benchmark. */
export type Report = (figure: string, value: number, unit: string) => void;

/** The value below which the share `q` of the values lies (nearest rank). */
export const percentile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
};
