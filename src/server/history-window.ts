import { Type } from 'typebox';
import { bucketEdges } from '../core/bucket-edges.ts';
import type { Range } from '../core/ports.ts';
import { isZone } from '../core/zone.ts';
import { MomentParameter, parseDuration, parseMoment } from './parameters.ts';
import { badParameter, Problem } from './problem.ts';

const MAX_POINTS = 10_000;
const POINTS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Where a zone's clock is changed is looked up every two weeks of a stretch: a century takes 10 ms. */
const LONGEST_BY_ZONE_MS = 36_525 * DAY_MS;

/** Steps that a person finds on a clock, in milliseconds; each divides a day. */
const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
];

/** The query parameters that say which stretch of time is asked for, and how finely. */
export const windowParameters = {
  from: Type.Optional(MomentParameter),
  to: Type.Optional(MomentParameter),
  step: Type.Optional(Type.String({ description: 'width of a bucket, such as 500ms, 1s, 60s, 5m, 1h or 1d' })),
  points: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_POINTS, description: `at most so many buckets; ${POINTS} without a step` }),
  ),
};

/** The query parameter that says by which clock buckets begin. */
export const zoneParameter = {
  tz: Type.Optional(
    Type.String({ description: 'buckets begin by the clock of this time zone (IANA), such as Europe/Berlin' }),
  ),
};

/**
 * The stretch `[from, to)` that is asked for, in milliseconds. Without `to` it ends at `usual.to`, without `from` it
 * begins at `usual.from`, else an hour before its end. Throws a 400 for an empty one.
 */
export const parseRange = (
  query: { readonly from?: string; readonly to?: string },
  usual: { readonly from?: number; readonly to: number },
): Range => {
  const to = parseMoment('to', query.to) ?? usual.to;
  const from = parseMoment('from', query.from) ?? usual.from ?? Math.max(0, to - HOUR_MS);
  if (from >= to) throw badParameter('from', String(query.from ?? from), `a moment before \`to\` (${to})`);
  return { from, to };
};

type GridQuery = { readonly step?: string; readonly points?: number; readonly tz?: string };

/** Buckets over a stretch; see {@link bucketEdges}. */
export type Grid = { readonly stepMs: number; readonly edges: readonly number[]; readonly zone?: string };

/**
 * The buckets that a query asks for. A `step` is raised to the next multiple of `finestMs`, which is how finely the
 * history of the stretch is kept (0: all of it); without one it is the finest of the clock's steps that is kept and
 * needs at most `points` buckets. Throws a 400 for both `step` and `points`, for more than 10,000 buckets, for a zone
 * that is not known, and for a step that does not fit the days of a zone.
 */
export const parseGrid = (query: GridQuery, range: Range, finestMs: number): Grid => {
  const zone = parseZone(query.tz, range);
  const gridOf = (stepMs: number): Grid => ({ stepMs, edges: bucketEdges({ ...range, stepMs, ...zone }), ...zone });
  if (query.step === undefined) return finestGrid(gridOf, range, query.points ?? POINTS, finestMs);
  if (query.points !== undefined) throw new Problem(400, 'points: give either step or points, not both', 'points');
  const asked = parseDuration('step', query.step);
  if (query.tz !== undefined && asked > DAY_MS && (asked % DAY_MS !== 0 || asked > LONGEST_BY_ZONE_MS)) {
    throw badParameter('step', query.step, `at most a day, or whole days of at most a century, with tz=${query.tz}`);
  }
  const stepMs = finestMs === 0 ? asked : Math.ceil(asked / finestMs) * finestMs;
  const points = Math.ceil(range.to / stepMs) - Math.floor(range.from / stepMs);
  if (points > MAX_POINTS) {
    throw new Problem(400, `step: "${query.step}" makes ${points} points; at most ${MAX_POINTS} are allowed`, 'step');
  }
  return gridOf(stepMs);
};

const finestGrid = (gridOf: (stepMs: number) => Grid, { from, to }: Range, points: number, finestMs: number): Grid => {
  const fits = (stepMs: number, most: number): Grid | null => {
    // Before its edges are made: no grid has fewer, but for the hour of a clock that is set back.
    if (stepMs < finestMs || Math.floor((to - from) / stepMs) > most) return null;
    const grid = gridOf(stepMs);
    return grid.edges.length - 1 <= most ? grid : null;
  };
  for (const stepMs of STEPS_MS) {
    const grid = fits(stepMs, points);
    if (grid !== null) return grid;
  }
  for (let days = Math.max(1, Math.floor((to - from) / DAY_MS / points)); ; days++) {
    // One more than asked can be unavoidable: a stretch over a bucket's edge has two buckets however wide they are.
    const grid = fits(days * DAY_MS, Math.max(points, 2));
    if (grid !== null) return grid;
  }
};

const parseZone = (name: string | undefined, { from, to }: Range): { readonly zone?: string } => {
  if (name === undefined) return {};
  if (!isZone(name)) throw badParameter('tz', name, 'the IANA name of a time zone, such as Europe/Berlin');
  if (to - from > LONGEST_BY_ZONE_MS) throw badParameter('tz', name, 'it for a stretch of at most a century');
  return { zone: name };
};
