import { Type } from 'typebox';
import { MomentParameter, parseDuration, parseMoment } from './parameters.ts';
import { badParameter, Problem } from './problem.ts';

const MAX_POINTS = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Steps that a person finds on a clock, in milliseconds. */
const STEPS_MS = [
  ...[1, 5, 10, 30].map((seconds) => seconds * 1000),
  ...[1, 5, 10, 30].map((minutes) => minutes * 60_000),
  ...[1, 3, 6, 12].map((hours) => hours * HOUR_MS),
];

/** The query parameters that say which stretch of a history is asked for, and how finely. */
export const windowParameters = {
  from: Type.Optional(MomentParameter),
  to: Type.Optional(MomentParameter),
  step: Type.Optional(Type.String({ description: 'width of a bucket, such as 500ms, 1s, 60s, 5m, 1h or 1d' })),
  points: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_POINTS, description: 'at most so many buckets; 1000 without a step' }),
  ),
};

type WindowQuery = { from?: string; to?: string; step?: string; points?: number };

/**
 * The stretch `[from, to)` and its step, in milliseconds. Without `to` it ends now, without `from` it is an hour long;
 * without `step` the step is the finest of the clock's that needs at most `points` buckets.
 * Throws a 400 for an empty stretch, for both `step` and `points`, and for more than 10,000 buckets.
 */
export const parseWindow = (query: WindowQuery, now: number): { from: number; to: number; stepMs: number } => {
  const to = parseMoment('to', query.to) ?? now;
  const from = parseMoment('from', query.from) ?? Math.max(0, to - HOUR_MS);
  if (from >= to) throw badParameter('from', String(query.from ?? from), `a moment before \`to\` (${to})`);
  if (query.step === undefined) return { from, to, stepMs: stepFor(from, to, query.points ?? 1000) };
  if (query.points !== undefined) throw new Problem(400, 'points: give either step or points, not both', 'points');
  const stepMs = parseDuration('step', query.step);
  const points = buckets(from, to, stepMs);
  if (points > MAX_POINTS) {
    throw new Problem(400, `step: "${query.step}" makes ${points} points; at most ${MAX_POINTS} are allowed`, 'step');
  }
  return { from, to, stepMs };
};

const stepFor = (from: number, to: number, points: number): number => {
  const fits = STEPS_MS.find((stepMs) => buckets(from, to, stepMs) <= points);
  if (fits !== undefined) return fits;
  let days = Math.max(1, Math.floor((to - from) / DAY_MS / points));
  // One more than asked can be unavoidable: a stretch over a bucket's edge has two buckets however wide they are.
  while (buckets(from, to, days * DAY_MS) > Math.max(points, 2)) days++;
  return days * DAY_MS;
};

/** Buckets begin at multiples of the step. */
const buckets = (from: number, to: number, stepMs: number): number =>
  Math.ceil(to / stepMs) - Math.floor(from / stepMs);
