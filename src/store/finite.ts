/** The number, or null where there is none or SQLite and JSON could not hold it (NaN, infinity). */
export const finite = (value: number | null | undefined): number | null =>
  value !== null && value !== undefined && Number.isFinite(value) ? value : null;
