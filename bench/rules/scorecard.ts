import { median, sum } from '../../src/core/statistics.ts';
import { percentile } from '../figures.ts';
import type { RunScore } from './score.ts';
import { timeliness } from './score.ts';

/** An interval, 95 %. */
export type Interval = readonly [low: number, high: number];

/** How well a rule does over all runs. Shares from 0 to 1; null: nothing to tell it from. */
export type Scorecard = {
  /** Required labels. */
  readonly events: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly precisionInterval: Interval | null;
  readonly recallInterval: Interval | null;
  readonly f1: number;
  /** F1 in which a late hit counts less. */
  readonly timelyF1: number;
  readonly late: number;
  readonly repeated: number;
  /** Rows or seconds. */
  readonly delayP50: number | null;
  readonly delayP90: number | null;
  /** Share of the alerts in time that name the true cause, where there is one. */
  readonly causeAccuracy: number | null;
  /** Median error of the time that is left, as a share of it. */
  readonly leftError: number | null;
  /** Share of what runs out that was told with at least half of its time left. */
  readonly lead: number | null;
  readonly byGrade: readonly { readonly grade: number; readonly events: number; readonly found: number }[];
};

/** Adds up the runs of one rule. */
export const scorecardOf = (runs: readonly RunScore[], goodDelay: number): Scorecard => {
  const found = runs.flatMap((run) => run.found);
  const labels = runs.flatMap((run) => [...run.found, ...run.late].map(({ label }) => label).concat(run.missed));
  const events = labels.length;
  const repeated = sum(runs.map((run) => run.repeated));
  const wrong = sum(runs.map((run) => run.false)) + repeated;
  const delays = found.map(({ delay }) => delay);
  const timely = sum(found.map((match) => timeliness(match, goodDelay)));
  const caused = found.filter(({ label }) => label.cause !== undefined);
  const forecasts = found.flatMap(({ label: { emptyAt }, raised: { at, leftS } }) =>
    emptyAt === undefined || leftS === null || leftS <= 0 ? [] : [Math.abs(leftS - (emptyAt - at)) / (emptyAt - at)],
  );
  const emptied = labels.filter(({ emptyAt }) => emptyAt !== undefined);
  const early = found.filter(
    ({ label: { emptyAt, start }, delay }) => emptyAt !== undefined && delay <= (emptyAt - start) / 2,
  );
  const precision = share(found.length, found.length + wrong);
  const recall = share(found.length, events);
  return {
    ...{ events, precision, recall, repeated, late: sum(runs.map((run) => run.late.length)) },
    precisionInterval: wilson(found.length, found.length + wrong),
    recallInterval: wilson(found.length, events),
    f1: harmonicMean(precision, recall),
    timelyF1: harmonicMean(precision, share(timely, events)),
    delayP50: delays.length > 0 ? percentile(delays, 0.5) : null,
    delayP90: delays.length > 0 ? percentile(delays, 0.9) : null,
    causeAccuracy: share(caused.filter(({ label, raised }) => label.cause === raised.cause).length, caused.length),
    leftError: forecasts.length > 0 ? median(forecasts) : null,
    lead: share(early.length, emptied.length),
    byGrade: gradesOf(
      labels,
      found.map(({ label }) => label),
    ),
  };
};

type Graded = { readonly grade?: number };

const gradesOf = (labels: readonly Graded[], found: readonly Graded[]): Scorecard['byGrade'] => {
  // A grade from a continuous range says nothing by itself: only those that come again are told.
  const grades = [...Map.groupBy(labels, ({ grade }) => grade)].filter(([, same]) => same.length > 1);
  return grades
    .flatMap(([grade, same]) =>
      grade === undefined
        ? []
        : [{ grade, events: same.length, found: found.filter((label) => label.grade === grade).length }],
    )
    .sort((a, b) => a.grade - b.grade);
};

const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

const harmonicMean = (a: number | null, b: number | null): number =>
  a === null || b === null || a + b === 0 ? 0 : (2 * a * b) / (a + b);

/** Wilson's score interval for `k` of `n`. */
export const wilson = (k: number, n: number): Interval | null => {
  if (n === 0) return null;
  const z = 1.96;
  const p = k / n;
  const center = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return [center - half, center + half];
};
