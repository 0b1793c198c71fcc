import type { Range } from '../../core/ports.ts';
import type { Columns } from '../chunks/columns.ts';
import type { ReadHot, StoredSubject } from './hot-rows.ts';
import { placeFrom, rowsBetween, unionByMoment, withoutMoments } from './moments.ts';
import type { Piece } from './plan.ts';
import { HOUR_MS, MINUTE_MS, type RollupColumns } from './rollup.ts';
import type { SealedTiers } from './sealed-tiers.ts';

/** What is not sealed and lies in the memory of the thread that writes, as it was when `sealings` hours were sealed. */
export type Memory = {
  readonly sealings: number;
  /** By metric: the minutes of what is not sealed. */
  readonly recent: ReadonlyMap<string, RollupColumns>;
  /** Where there may be samples that neither chunks nor `recent` hold; null: nowhere. */
  readonly unread: Range | null;
  /** The samples that are not written yet; their moments rise. */
  readonly tail: Columns;
};

/** What is to be read of one subject. */
export type Reading = {
  /** null: nothing of it is written yet. */
  readonly subject: StoredSubject | null;
  readonly metrics: readonly string[];
  /** Rising. */
  readonly pieces: readonly Piece[];
  /** Samples from so long before each piece of samples come with it, ms. */
  readonly marginMs: number;
  readonly memory: Memory;
};

/** Takes what is read. Columns are shared: it may keep them, but not write to them. */
export type Sink = {
  /**
   * The moments rise within a piece and from piece to piece, but for the margin: those from before `from`. `column` has
   * a place for each, NaN where nothing is known; null: nothing is.
   */
  readonly samples: (at: Float64Array, column: (metric: string) => Float64Array | null, from: number) => void;
  /** Stretches of `widthMs` that begin in the piece, and hold values that nothing else holds that the sink is given. */
  readonly stretches: (widthMs: number, column: (metric: string) => RollupColumns) => void;
};

/** Where it is read from. `checkEnd` throws when nobody waits for the answer any more. */
export type Parts = { readonly sealed: SealedTiers; readonly hot: ReadHot; readonly checkEnd: () => void };

/**
 * Reads the pieces of a plan. Where the tier of a piece is not kept any more, the finest one that is kept takes its
 * place, by its stretches that begin in the piece: a stretch is never cut, and never counted in two pieces.
 */
export const readPieces = (reading: Reading, parts: Parts, sink: Sink): void => {
  for (const piece of reading.pieces) {
    parts.checkEnd();
    if (piece.tier === 'samples') readSamples(reading, piece, parts, sink);
    else {
      readEarlySamples(reading, piece, parts, sink);
      if (reading.subject !== null) readSealedStretches(reading, reading.subject.id, piece, parts, sink);
      sink.stretches(MINUTE_MS, (metric) =>
        stretchesBetween(reading.memory.recent.get(metric) ?? NO_STRETCHES, piece.from, piece.to),
      );
    }
  }
};

const readSealedStretches = (
  { metrics }: Reading,
  subject: number,
  piece: Piece,
  { sealed, checkEnd }: Parts,
  sink: Sink,
): void => {
  if (piece.tier === 'hours') {
    sink.stretches(HOUR_MS, (metric) => sealed.hours(subject, metric, piece.from, piece.to));
    return;
  }
  const kept = hoursKept(subject, piece, sealed);
  for (const start of kept.minutes) {
    checkEnd();
    giveMinutes(subject, start, piece, sealed, sink);
  }
  for (const start of kept.samples) {
    if (kept.minutes.has(start)) continue;
    checkEnd();
    const { at, columns } = rowsBetween(sealed.samples(subject, start, metrics), piece.from, piece.to);
    sink.samples(at, (metric) => columns.get(metric) ?? null, piece.from);
  }
  giveHours(subject, piece, kept, sealed, sink);
};

const readSamples = (reading: Reading, piece: Piece, { sealed, hot, checkEnd }: Parts, sink: Sink): void => {
  const { subject, metrics, memory } = reading;
  const from = piece.from - reading.marginMs;
  const tail = rowsBetween(memory.tail, from, piece.to);
  const unsealed = subject === null ? tail : unionByMoment(hot(subject, metrics, from, piece.to), tail);
  const give = ({ at, columns }: Columns): void => {
    if (at.length > 0) sink.samples(at, (metric) => columns.get(metric) ?? null, piece.from);
  };
  let done = from;
  if (subject !== null) {
    for (const start of sealed.sampleHours(subject.id, hourOf(from), piece.to)) {
      checkEnd();
      give(rowsBetween(unsealed, done, start));
      const [first, end] = [Math.max(start, from), Math.min(start + HOUR_MS, piece.to)];
      const rows = rowsBetween(sealed.samples(subject.id, start, metrics), first, end);
      give(unionByMoment(rows, rowsBetween(unsealed, first, end)));
      done = end;
    }
  }
  give(rowsBetween(unsealed, done, piece.to));

  if (subject === null) return;
  const kept = hoursKept(subject.id, piece, sealed);
  for (const start of kept.minutes) {
    if (!kept.samples.has(start)) giveMinutes(subject.id, start, piece, sealed, sink);
  }
  giveHours(subject.id, piece, kept, sealed, sink);
};

/** Samples that wait to be sealed since before the start: those that no chunk holds. */
const readEarlySamples = (reading: Reading, piece: Piece, { sealed, hot }: Parts, sink: Sink): void => {
  const { subject, metrics, memory } = reading;
  if (memory.unread === null) return;
  const [from, to] = [Math.max(piece.from, memory.unread.from), Math.min(piece.to, memory.unread.to)];
  if (from >= to) return;
  const tail = rowsBetween(memory.tail, from, to);
  const written = subject === null ? NO_ROWS : hot(subject, metrics, from, to);
  let early = unionByMoment(written, tail);
  if (early.at.length === 0) return;
  if (subject !== null) {
    for (const start of sealed.sampleHours(subject.id, hourOf(from), to)) {
      early = withoutMoments(early, sealed.samples(subject.id, start, []).at);
    }
  }
  sink.samples(early.at, (metric) => early.columns.get(metric) ?? null, from);
};

/** The hours that a piece touches, by what is kept of them. */
type Kept = { readonly samples: ReadonlySet<number>; readonly minutes: ReadonlySet<number> };

const hoursKept = (subject: number, { from, to }: Piece, sealed: SealedTiers): Kept => ({
  samples: new Set(sealed.sampleHours(subject, hourOf(from), to)),
  minutes: new Set(sealed.minuteHours(subject, hourOf(from), to)),
});

const giveMinutes = (subject: number, start: number, { from, to }: Piece, sealed: SealedTiers, sink: Sink): void =>
  sink.stretches(MINUTE_MS, (metric) => stretchesBetween(sealed.minutes(subject, start, metric), from, to));

/** The rollups of the hours that begin in the piece and of which nothing finer is kept. */
const giveHours = (subject: number, { from, to }: Piece, kept: Kept, sealed: SealedTiers, sink: Sink): void => {
  const isKept = (start: number) => kept.samples.has(start) || kept.minutes.has(start);
  let start = Math.ceil(from / HOUR_MS) * HOUR_MS;
  while (start < to) {
    let end = start;
    while (end < to && !isKept(end)) end += HOUR_MS;
    const [first, last] = [start, end];
    if (first < last) sink.stretches(HOUR_MS, (metric) => sealed.hours(subject, metric, first, last));
    start = end + HOUR_MS;
  }
};

const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;

/** The stretches that begin in [from, to); shares memory with all of them. */
const stretchesBetween = (columns: RollupColumns, from: number, to: number): RollupColumns => {
  const { start, percentiles } = columns;
  const first = placeFrom(start, from);
  const end = placeFrom(start, to);
  if (first === 0 && end === start.length) return columns;
  const cut = (values: Float64Array): Float64Array => values.subarray(first, end);
  return {
    start: cut(start),
    count: cut(columns.count),
    sum: cut(columns.sum),
    min: cut(columns.min),
    max: cut(columns.max),
    last: cut(columns.last),
    increase: columns.increase === null ? null : cut(columns.increase),
    percentiles:
      percentiles === null ? null : { p5: cut(percentiles.p5), p50: cut(percentiles.p50), p95: cut(percentiles.p95) },
    // Read only where they are asked for.
    get bins() {
      return columns.bins?.map(cut) ?? null;
    },
  };
};

const NONE = new Float64Array(0);
const NO_ROWS: Columns = { at: NONE, columns: new Map() };
const NO_STRETCHES: RollupColumns = {
  start: NONE,
  count: NONE,
  sum: NONE,
  min: NONE,
  max: NONE,
  last: NONE,
  increase: null,
  percentiles: null,
  bins: null,
};
