const DAY_MS = 86_400_000;

/**
 * How long each tier of the history is kept, ms since its hour was sealed, and how much the database may take with its
 * write-ahead log, bytes. Infinity: for ever, as much as it takes.
 */
export type Retention = {
  readonly rawMs: number;
  readonly minuteMs: number;
  readonly hourMs: number;
  readonly maxBytes: number;
};

export const DEFAULT_RETENTION: Retention = {
  rawMs: 14 * DAY_MS,
  minuteMs: 180 * DAY_MS,
  hourMs: Number.POSITIVE_INFINITY,
  maxBytes: 4 * 2 ** 30,
};
