/** Numbers as a person reads them in the sentences of an alert. */

/** Rounded to so many significant digits. */
export const significant = (value: number, digits = 3): number => Number(value.toPrecision(digits));

/** A share as per cent: 0.257 is `25.7 %`. */
export const percent = (share: number): string => `${significant(share * 100)} %`;

/** Bytes in GiB. */
export const gib = (bytes: number): number => significant(bytes / 2 ** 30);

/** Milliseconds in the largest unit that suits: `45 s`, `12 min`, `3.5 h`. */
export const duration = (ms: number): string => {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${significant(ms / 3_600_000)} h`;
};

/** `epoch 7`, or `epochs 3 to 5`. */
export const epochRange = ([first, last]: readonly [number, number]): string =>
  first === last ? `epoch ${first}` : `epochs ${first} to ${last}`;
