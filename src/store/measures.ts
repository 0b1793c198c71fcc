import type { NonFinite } from '../core/run.ts';
import { finite } from './finite.ts';

/** Values by name as JSON and SQLite can hold them: what is not finite is null, and its kind stands beside it. */
export type Measures = {
  readonly values: Readonly<Record<string, number | null>>;
  readonly nonFinite: Readonly<Record<string, NonFinite>> | null;
};

/** At most the first `limit` of the values that an event carries; there, what is not finite is a word. */
export const splitMeasures = (
  measures: Readonly<Record<string, number | null | NonFinite>> | undefined,
  limit: number,
): Measures => {
  const values: Record<string, number | null> = {};
  let nonFinite: Record<string, NonFinite> | null = null;
  let count = 0;
  for (const name in measures) {
    if (count++ === limit) break;
    const value = measures[name];
    if (typeof value === 'string') {
      values[name] = null;
      nonFinite ??= {};
      nonFinite[name] = value;
    } else {
      values[name] = finite(value);
    }
  }
  return { values, nonFinite };
};
