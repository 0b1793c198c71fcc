const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Clocks are set back by less than this. */
const LONGEST_STEP_BACK_MS = 3 * 3_600_000;
/** Offsets are looked at this often: no zone changes its clock twice within it. */
const LOOK_EVERY_MS = 14 * DAY_MS;

/** Buckets over [from, to), ms. */
export type BucketGrid = {
  readonly from: number;
  readonly to: number;
  /** Whole ms; with a zone at most a day, or a multiple of one. */
  readonly stepMs: number;
  /** IANA name, such as Europe/Berlin; without one, buckets begin at multiples of the step since 1970 in UTC. */
  readonly zone?: string;
};

/**
 * Where the buckets over [from, to) begin, and last where the last one ends: one more than there are buckets.
 *
 * With a zone they follow the clock on its wall. Steps of days begin at the first moment of a local day, so a day on
 * which the clock is changed is one bucket of 23 or 25 hours. Shorter steps are counted from local midnight, anew every
 * day; an hour that the clock shows twice is two buckets of an hour, or a part of a longer one.
 * Throws a RangeError on a step that is none, and on a zone that is not known.
 */
export const bucketEdges = ({ from, to, stepMs, zone }: BucketGrid): number[] => {
  if (!(stepMs >= 1)) throw new RangeError(`expected a step of at least 1 ms, got ${stepMs}`);
  if (zone === undefined) return evenEdges(from, to, stepMs);
  if (stepMs > DAY_MS && stepMs % DAY_MS !== 0) {
    throw new RangeError(
      `expected a step of at most a day, or of whole days, by the clock of ${zone}; got ${stepMs} ms`,
    );
  }
  const start = from - stepMs - LONGEST_STEP_BACK_MS;
  const end = to + stepMs + LONGEST_STEP_BACK_MS;
  let edges: number[] = [];
  for (const edge of localEdges(offsetsBetween(zone, start, end), stepMs)) {
    if (edge <= from) edges = [edge];
    else edges.push(edge);
    if (edge >= to) break;
  }
  return edges;
};

const evenEdges = (from: number, to: number, stepMs: number): number[] => {
  const first = Math.floor(from / stepMs);
  const length = Math.max(0, Math.ceil(to / stepMs) - first);
  return Array.from({ length: length + 1 }, (_, i) => (first + i) * stepMs);
};

/** A stretch of time in which the local clock is `offset` ms ahead of UTC. */
type Offset = { readonly from: number; readonly to: number; readonly offset: number };

/** Rising. Local time is counted here as ms since 1970, as if the wall clock showed UTC. */
function* localEdges(offsets: Iterable<Offset>, stepMs: number): Generator<number> {
  const isOfDays = stepMs >= DAY_MS;
  let edge = -Infinity;
  /** The local time of the newest edge, and the one that the clock showed last. */
  let reached = -Infinity;
  let shown: number | null = null;
  for (const { from, to, offset } of offsets) {
    const jumped = shown === null ? Infinity : nextOnGrid(shown, stepMs);
    if (jumped < from + offset && (!isOfDays || jumped > reached)) {
      yield from;
      edge = from;
      reached = jumped;
    }
    for (let local = nextOnGrid(from + offset, stepMs); local < to + offset; local = nextOnGrid(local + 1, stepMs)) {
      if (local - offset <= edge || (isOfDays && local <= reached)) continue;
      edge = local - offset;
      reached = local;
      yield edge;
    }
    shown = to + offset;
  }
}

/** The first local time from `local` on at which a bucket begins. */
const nextOnGrid = (local: number, stepMs: number): number => {
  if (stepMs >= DAY_MS) return Math.ceil(local / stepMs) * stepMs;
  const midnight = Math.floor(local / DAY_MS) * DAY_MS;
  return midnight + Math.min(DAY_MS, Math.ceil((local - midnight) / stepMs) * stepMs);
};

function* offsetsBetween(zone: string, start: number, end: number): Generator<Offset> {
  const offsetAt = createOffsetAt(zone);
  let from = start;
  let offset = offsetAt(start);
  for (let known = start; known < end; ) {
    const look = Math.min(end, known + LOOK_EVERY_MS);
    if (offsetAt(look) !== offset) {
      const change = firstChange(offsetAt, known, look);
      yield { from, to: change, offset };
      from = change;
      offset = offsetAt(change);
      known = change;
    } else known = look;
  }
  yield { from, to: end, offset };
}

/** The first minute that has not the offset of `before`; `after` has another one. Clocks change at whole minutes. */
const firstChange = (offsetAt: (at: number) => number, before: number, after: number): number => {
  const offset = offsetAt(before);
  let [same, other] = [Math.floor(before / MINUTE_MS), Math.ceil(after / MINUTE_MS)];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (offsetAt(middle * MINUTE_MS) === offset) same = middle;
    else other = middle;
  }
  return other * MINUTE_MS;
};

/** How many ms the clock of a zone is ahead of UTC at a moment. Throws a RangeError on a zone that is not known. */
export const createOffsetAt = (zone: string): ((at: number) => number) => {
  // The hour is asked for because it is what costs least beside the name: 3 µs a call.
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hour: '2-digit', timeZoneName: 'longOffset' });
  return (at) => {
    // 01 AM GMT, 06 AM GMT+05:30, and of the time before the railways 11 PM GMT-00:01:15.
    const [, sign, hours = 0, minutes = 0, seconds = 0] =
      /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(format.format(at)) ?? [];
    const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -size : size;
  };
};
