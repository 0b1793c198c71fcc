const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Nobody can see less than some samples. */
const SHORTEST_MS = 10_000;

/** The stretches that are offered, by their names in the address, in milliseconds. */
export const STRETCHES = {
  '10m': 10 * MINUTE_MS,
  '1h': HOUR_MS,
  '6h': 6 * HOUR_MS,
  '24h': DAY_MS,
  '7d': 7 * DAY_MS,
  '30d': 30 * DAY_MS,
} as const;
export type StretchName = keyof typeof STRETCHES;

/** From one moment to another, in milliseconds. */
export type Window = readonly [from: number, to: number];

/** What the time axes of a page show: the last so much (null: all that there is of it), and where in it one looks closer. */
export type TimeRange = { readonly last: StretchName | null; readonly zoom: Window | null };

/** Reads the query of an address; whatever it does not say, or says wrongly, is as `usual`. */
export const parseTimeRange = (query: string, usual: StretchName | null): TimeRange => {
  const asked = new URLSearchParams(query);
  const last = STRETCH_NAMES.find((name) => name === asked.get('range')) ?? usual;
  const [from, to] = [momentOf(asked.get('from')), momentOf(asked.get('to'))];
  return { last, zoom: from !== null && to !== null && from < to ? [from, to] : null };
};

/** The query of the address of a range; the opposite of {@link parseTimeRange}. */
export const timeRangeQuery = ({ last, zoom }: TimeRange): string =>
  new URLSearchParams({
    ...(last === null ? {} : { range: last }),
    ...(zoom === null ? {} : { from: String(zoom[0]), to: String(zoom[1]) }),
  }).toString();

/** Whole milliseconds, not less than can be seen, around the same middle. */
export const windowOf = (from: number, to: number): Window => {
  const half = Math.max(SHORTEST_MS, to - from) / 2;
  const middle = (from + to) / 2;
  return [Math.max(0, Math.floor(middle - half)), Math.ceil(middle + half)];
};

/** Ways to go on from what is seen, without a pointer. None goes past `now`. */
export const MOVES = {
  earlier: ([from, to]: Window): Window => windowOf(from - (to - from) / 2, to - (to - from) / 2),
  later: ([from, to]: Window, now: number): Window => {
    const by = Math.min((to - from) / 2, Math.max(0, now - to));
    return windowOf(from + by, to + by);
  },
  closer: ([from, to]: Window): Window => windowOf(from + (to - from) / 4, to - (to - from) / 4),
  wider: ([from, to]: Window, now: number): Window => {
    const end = Math.min(to + (to - from) / 2, Math.max(to, now));
    return windowOf(end - 2 * (to - from), end);
  },
} as const;

// The keys of an object that is written out above.
const STRETCH_NAMES = Object.keys(STRETCHES) as StretchName[];

const momentOf = (text: string | null): number | null =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
